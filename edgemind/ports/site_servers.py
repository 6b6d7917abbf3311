"""What a controller asks of the servers of a site that are not controllers: gateway workers and model servers."""

from collections.abc import Mapping
from typing import Protocol


class GatewayAdmin(Protocol):
    """The admin listeners of the own site's gateway workers."""

    async def explain(self, worker: int, decision_id: str, admin: str | None = None) -> Mapping[str, object] | None:
        """The explanation that this worker keeps of a decision it made, or None if it no longer does.

        `admin` is the address that the worker itself reported; without one it is where the configuration says.
        Raises UpstreamFailed if the worker cannot be asked.
        """


class ModelServerProbe(Protocol):
    """An active health check of one model server's address."""

    async def ready(self, base_url: str, key: str | None) -> bool:
        """Whether the server answers and does not say that it is still loading.

        Raises UpstreamUnreachable if nobody listens there, UpstreamFailed if it does not answer in time.
        """
