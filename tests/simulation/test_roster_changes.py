"""Many change one roster through answers that get lost: nobody's change undoes another's, and each is made once."""

from random import Random

import pytest

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.rules import CONDITIONS, Conditions
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.roster import ChangeRoster, Roster, RosterMember
from tests.support.swarm_mutants import without

WRITERS, LOST = 5, 0.3


class Writer:
    """Joins a site, one call of the store at a time, until it knows that it is a member."""

    def __init__(self, site: str, store: MemorySwarmStore, rng: Random) -> None:
        self.site = site
        self.known = False
        self._store = store
        self._rng = rng
        self._write: ChangeRoster | None = None

    def turn(self) -> None:
        if self._write is None:
            self._write = self._store.read_roster().joined(RosterMember(self.site, "http://x:1"), self.site)
            return
        answer = self._store.change_roster(self._write)
        if self._rng.random() < LOST:
            return
        held = answer.held if isinstance(answer, Refused) else None
        self.known = answer == Applied() or (isinstance(held, Roster) and self.site in held.sites)
        self._write = self._write if self.known else None


def lost(seed: int, conditions: Conditions = CONDITIONS) -> list[str]:
    """The sites that know themselves to be members, and are none."""
    rng = Random(seed)
    store = MemorySwarmStore("simulated", conditions)
    writers = [Writer(f"site-{number}", store, rng) for number in range(WRITERS)]
    while waiting := [writer for writer in writers if not writer.known]:
        rng.choice(waiting).turn()
    return [writer.site for writer in writers if writer.site not in store.read_roster().sites]


def test_no_change_is_lost() -> None:
    assert [lost(seed) for seed in range(200)] == [[]] * 200


@pytest.mark.mutants
@pytest.mark.parametrize("name", [f"ChangeRoster {name}" for name in ChangeRoster.conditions])
def test_without_a_condition_changes_are_lost(name: str) -> None:
    assert any(lost(seed, without(name)) for seed in range(20))
