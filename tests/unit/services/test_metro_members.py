"""Who joins and leaves: tokens and conditional changes, through lost answers and others that were first."""

from collections.abc import Callable

import pytest

from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.join_tokens import JoinRefused
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.roster import ChangeRoster, Roster, RosterMember
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.swarm_store import OutcomeUnknown
from edgemind.services.metro_members import MetroMembers
from tests.support.clocks import ManualClock

DECLARED = [RosterMember(name, f"http://{name}:8200") for name in ("a", "b")]
NEW = RosterMember("n", "http://n:8200", '{"name":"n"}')


class Store(MemorySwarmStore):
    """`before` happens before each change; `lost` answers are applied and not heard of."""

    before: Callable[["Store"], None] | None = None
    lost = 0

    def change_roster(self, write: ChangeRoster) -> Applied | Refused:
        before, self.before = self.before, None
        if before is not None:
            before(self)
        answer = super().change_roster(write)
        if self.lost:
            self.lost -= 1
            raise OutcomeUnknown("no answer")
        return answer


class Stage:
    def __init__(self) -> None:
        self.clock, self.swarm, self.told = ManualClock(), Store("test"), list[Roster]()
        count = iter(range(1, 250))
        self.members = MetroMembers(
            (MemoryStateStore(), self.swarm),
            lambda: DECLARED,
            self.clock,
            lambda size: bytes([next(count)]) * size,
            self.told.append,
        )

    def token(self, site: str = "n") -> str:
        return self.members.invite(site, 60).token


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_who_has_a_token_joins_the_declared_sites(stage: Stage) -> None:
    roster = stage.members.join(stage.token(), NEW)
    assert roster.sites == ("a", "b", "n")
    assert stage.swarm.read_roster() == roster
    assert stage.told == [roster]
    assert roster.member("n") == NEW


def test_the_same_join_again_is_answered_and_another_one_is_not(stage: Stage) -> None:
    token = stage.token()
    first = stage.members.join(token, NEW)
    assert stage.members.join(token, NEW) == first
    assert stage.told == [first]
    with pytest.raises(JoinRefused, match="used already"):
        stage.members.join(token, RosterMember("n", "http://elsewhere:1", NEW.declaration))


def test_a_token_ends(stage: Stage) -> None:
    token = stage.token()
    stage.clock.advance(60.0)
    with pytest.raises(JoinRefused, match="expired"):
        stage.members.join(token, NEW)
    assert stage.swarm.read_roster() == Roster()


def test_who_was_removed_needs_a_new_token(stage: Stage) -> None:
    token = stage.token()
    stage.members.join(token, NEW)
    assert stage.members.remove("n").sites == ("a", "b")
    with pytest.raises(JoinRefused):
        stage.members.join(token, NEW)
    assert stage.members.join(stage.token(), NEW).sites == ("a", "b", "n")


def test_a_declared_site_comes_back_as_declared_and_not_from_elsewhere(stage: Stage) -> None:
    assert stage.members.remove("b").sites == ("a",)
    back = RosterMember("b", "http://b:8200", '{"name":"b"}')
    assert stage.members.join(stage.token("b"), back).members == tuple(DECLARED)
    stage.members.remove("b")
    token = stage.token("b")
    with pytest.raises(PermanentError, match=r"declared in edgemind\.yaml, with its controller at http://b:8200"):
        stage.members.join(token, RosterMember("b", "http://elsewhere:1", "{}"))
    stage.members.join(token, back)


def test_a_change_that_came_first_is_kept(stage: Stage) -> None:
    other = RosterMember("o", "http://o:8200", "{}")

    def first(store: Store) -> None:
        store.change_roster(Roster().or_declared(DECLARED).joined(other, "other"))

    stage.swarm.before = first
    assert stage.members.join(stage.token(), NEW).sites == ("a", "b", "n", "o")


def test_a_lost_answer_is_asked_for_again_and_finds_itself(stage: Stage) -> None:
    stage.swarm.lost = 3
    roster = stage.members.join(stage.token(), NEW)
    assert (roster.version, roster.sites) == (1, ("a", "b", "n"))
    assert stage.swarm.read_roster() == roster


def test_a_store_that_never_answers_is_given_up(stage: Stage) -> None:
    stage.swarm.lost = 1000
    with pytest.raises(TemporaryError, match="gives no answer"):
        stage.members.remove("b")
