"""What a site still has to do about decisions, kept so that a controller that starts again finishes it."""

from collections.abc import Mapping
from typing import Protocol

from edgemind.domain.swarm.scale_task import ScaleTask


class EffectJournal(Protocol):
    """Every method blocks. Raises StoreUnavailable or StateCorrupt."""

    def read(self) -> Mapping[str, ScaleTask]:
        """The newest task of each model."""

    def write(self, task: ScaleTask) -> None:
        """Durable when this returns; it replaces the model's last one, unless that is of a later round."""

    def forget(self, model: str) -> None:
        """All is as it was before the first decision."""
