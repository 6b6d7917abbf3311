"""An absolute number set behind a fence, on any resource that can be written if it is still as it was read."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from edgemind.domain.fleet import ModelEndpoint
from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.scaler import Replicas, StaleFence

ATTEMPTS = 5
"""So often others may come in between; every one of them was a whole change, so somebody makes progress."""


@dataclass(frozen=True, slots=True)
class Held:
    """The resource as it was read. `version` names this state of it."""

    replicas: Replicas
    version: str


Read = Callable[[], Awaitable[Held]]
Write = Callable[[Held, int, Fence], Awaitable[Held | None]]
"""Replaces number and fence together if the resource is still at `Held.version`; None if it is not."""


async def compare_and_set(read: Read, write: Write, model: str, replicas: int, fence: Fence) -> Replicas:
    """Raises StaleFence, TemporaryError, and what `read` and `write` raise.

    The fence is compared with what the write then rests on, so nothing can come between the two, however long this
    process is stopped there. The same round may set another number: what it undoes or gives back is its own.
    """
    for _ in range(ATTEMPTS):
        held = await read()
        seen = held.replicas.fence
        if seen is not None and seen > fence:
            raise StaleFence(f"{model} was scaled by round {seen}, which is later than {fence}")
        if seen == fence and held.replicas.wanted == replicas:
            return held.replicas
        written = await write(held, replicas, fence)
        if written is not None:
            return written.replicas
    raise TemporaryError(f"{model} was changed by others {ATTEMPTS} times while round {fence} tried to scale it")


def scalable(endpoints: Mapping[str, ModelEndpoint], model: str, replicas: int) -> ModelEndpoint:
    """The endpoint of a model that may have so many; PermanentError if it may not."""
    endpoint = endpoints.get(model)
    if endpoint is None:
        raise PermanentError(
            f"{model} cannot be scaled here: no server that this site can scale has it with max_replicas above 1"
        )
    if not 1 <= replicas <= endpoint.max_replicas:
        raise PermanentError(f"{model} may have 1 to {endpoint.max_replicas} replicas here, not {replicas}")
    return endpoint
