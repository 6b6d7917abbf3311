"""A site whose model servers nobody scales."""

from collections.abc import Mapping

from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError
from edgemind.ports.scaler import Replicas


class NoScaler:
    """`Scaler`: its beacons offer no replicas, so that rounds do not propose any."""

    async def scale(self, model: str, replicas: int, fence: Fence) -> Replicas:
        raise PermanentError(f"{model} cannot be scaled here: this site has no scaler; set swarm.scaler")

    async def replicas(self) -> Mapping[str, Replicas]:
        return {}
