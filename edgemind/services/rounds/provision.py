"""The first item of a metro's swarm: put by a person or a deployment, never by a controller that misses it."""

from dataclasses import dataclass

from edgemind.domain.swarm.protocol import Refused
from edgemind.domain.swarm.records import CurrentRound, Fence
from edgemind.domain.swarm.writes import Genesis
from edgemind.errors import StateCorrupt
from edgemind.ports.swarm_store import SwarmStore


@dataclass(frozen=True, slots=True)
class Provisioned:
    """`fence` is where the metro stands; `new` whether this put it there."""

    fence: Fence
    new: bool


def provision(store: SwarmStore, epoch: int) -> Provisioned:
    """Put round 0 of `epoch` if the metro has no current round. What is there stays as it is."""
    write = Genesis(Fence(epoch, 0))
    answer = store.genesis(write)
    if not isinstance(answer, Refused):
        return Provisioned(write.fence, new=True)
    if not isinstance(answer.held, CurrentRound):
        raise StateCorrupt("the store answered the provisioning of a metro with a ballot: it is no store of rounds")
    return Provisioned(answer.held.fence, new=False)
