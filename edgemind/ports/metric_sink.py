"""Where a controller's metrics are written once a minute, as one document."""

from collections.abc import Mapping
from typing import Any, Protocol


class MetricSink(Protocol):
    """May block for some seconds: it is called in a thread. TemporaryError or PermanentError: it was not written."""

    def write(self, document: Mapping[str, Any]) -> None: ...
