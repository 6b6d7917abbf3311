"""Who runs a site's model servers: asked for absolute numbers of replicas, never for one more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError

__all__ = ["Fence", "Replicas", "Scaler", "StaleFence"]


class StaleFence(PermanentError):
    """The resource has carried out a later round's decision. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """One model at this site. `wanted` was asked for at `fence` (None: never by a round), `ready` of them serve."""

    wanted: int
    ready: int
    fence: Fence | None = None


class Scaler(Protocol):
    """Raises TemporaryError (again may help) or PermanentError (a person must act) from every method."""

    async def scale(self, model: str, replicas: int, fence: Fence) -> Replicas:
        """Make it `replicas`; the same fence again is fine. StaleFence if the resource has seen a higher one.

        The resource compares and remembers the fence itself, durably, in the same step as the number.
        """

    async def replicas(self) -> Mapping[str, Replicas]:
        """Every model of the site that can be scaled."""
