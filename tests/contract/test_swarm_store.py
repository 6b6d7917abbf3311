"""What every swarm store promises, whatever it is made of: one suite, run over each adapter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.rules import BALLOTS_KEPT_ROUNDS
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState
from edgemind.domain.swarm.roster import ChangeRoster, Roster, RosterMember
from edgemind.domain.swarm.writes import Genesis, OpenRound, PutBallot
from edgemind.errors import StateCorrupt
from edgemind.ports.swarm_store import NotProvisioned, SwarmStore
from tests.support.engines.aws import LocalAws
from tests.support.swarm_checks import CHANGE, CHECKS, ROSTER, ballot, claim, decide, opening, roster
from tests.support.swarm_stores import dynamodb_swarm_store

ADAPTERS: dict[str, Callable[[Path], SwarmStore]] = {
    "memory": lambda _: MemorySwarmStore("test"),
    "json_file": lambda directory: JsonFileSwarmStore(directory / "state", "test", lock_timeout_s=30.0),
}
ENGINES = {"dynamodb_local": [pytest.mark.engine], "ministack": [pytest.mark.engine, pytest.mark.slow]}
"""One of the two is enough for everybody; both are for `./run ci`."""
STORES = [*ADAPTERS, *(pytest.param(engine, marks=marks) for engine, marks in ENGINES.items())]


@pytest.fixture(params=STORES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> SwarmStore:
    if request.param in ADAPTERS:
        return ADAPTERS[request.param](tmp_path)
    engine: LocalAws = request.getfixturevalue(request.param)
    return dynamodb_swarm_store(engine, engine.new_table())


@pytest.fixture
def store(empty: SwarmStore) -> SwarmStore:
    assert empty.genesis(Genesis()) == Applied()
    return empty


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_each_condition_of_each_write(check: Callable[[SwarmStore], None], empty: SwarmStore) -> None:
    check(empty)


def test_a_metro_that_was_never_provisioned_says_so(empty: SwarmStore) -> None:
    calls: list[Callable[[], object]] = [
        empty.read_current,
        lambda: empty.open_round(opening()),
        lambda: empty.decide(decide()),
        lambda: empty.claim(claim()),
    ]
    for call in calls:
        with pytest.raises(NotProvisioned, match=r"metro test has no current round.*`edgemind swarm provision`"):
            call()


def test_a_round_from_its_genesis_to_its_claim(store: SwarmStore) -> None:
    assert store.read_current() == CurrentRound(Fence(1, 0), RoundState.DECIDED)

    assert store.open_round(opening()) == Applied()
    open_ = CurrentRound(Fence(1, 1), RoundState.OPEN, opening().candidates, ROSTER, 2, "opened")
    assert store.read_current() == open_

    assert store.put_ballot(PutBallot(ballot("site-b"))) == Applied()
    assert store.put_ballot(PutBallot(ballot("site-a"))) == Applied()
    assert store.read_ballots(Fence(1, 1)) == [ballot("site-a"), ballot("site-b")]
    assert store.read_ballots(Fence(2, 1)) == []
    assert store.read_ballots(Fence(1, 11)) == []

    assert store.decide(decide()) == Applied()
    decided = replace(
        open_,
        state=RoundState.DECIDED,
        outcome=Outcome(CHANGE),
        voters=("site-a", "site-b"),
        decision_nonce="decided",
    )
    assert store.read_current() == decided

    assert store.claim(claim()) == Applied()
    assert store.claim(claim(site="site-a", incarnation=1)) == Applied()
    assert store.read_current() == replace(decided, claims={"site-b": 7, "site-a": 1})


def test_opening_leaves_nothing_of_the_round_before(store: SwarmStore) -> None:
    store.open_round(opening())
    store.decide(decide())
    store.claim(claim())

    assert store.open_round(opening(Fence(1, 2), nonce="next")) == Applied()
    assert store.read_current() == opening(Fence(1, 2), nonce="next").opened()


def test_a_write_sent_again_is_refused_and_finds_itself(store: SwarmStore) -> None:
    store.open_round(opening())
    again = store.open_round(opening())
    assert isinstance(again, Refused)
    assert isinstance(again.held, CurrentRound)
    assert opening().is_in(again.held)
    assert not opening(nonce="another").is_in(again.held)

    store.decide(decide())
    again = store.decide(decide())
    assert isinstance(again, Refused)
    assert isinstance(again.held, CurrentRound)
    assert decide().is_in(again.held)
    assert not decide(nonce="another").is_in(again.held)

    store.claim(claim())
    again = store.claim(claim())
    assert isinstance(again, Refused)
    assert isinstance(again.held, CurrentRound)
    assert claim().is_in(again.held)
    assert not claim(incarnation=8).is_in(again.held)


def test_the_first_ballot_stands_and_is_shown(store: SwarmStore) -> None:
    store.open_round(opening())
    store.put_ballot(PutBallot(ballot("site-a")))

    other = replace(ballot("site-a"), ranking=tuple(reversed(ballot("site-a").ranking)))
    assert store.put_ballot(PutBallot(other)) == Refused(ballot("site-a"))


def test_rounds_of_fifty_sites_come_back_whole(store: SwarmStore) -> None:
    roster = tuple(f"site-{number:02}" for number in range(50))
    write = OpenRound(Fence(1, 1), opening().candidates, roster, 26, 'a nonce with \u00fc and "')
    store.open_round(write)
    for site in roster:
        store.put_ballot(PutBallot(ballot(site)))
    assert store.read_current() == write.opened()
    assert [cast.site for cast in store.read_ballots(Fence(1, 1))] == list(roster)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_ballots_of_long_ago_are_dropped_and_recent_ones_kept(adapter: str, tmp_path: Path) -> None:
    """In a table they expire by themselves."""
    store = ADAPTERS[adapter](tmp_path)
    store.genesis(Genesis())
    last = BALLOTS_KEPT_ROUNDS + 2
    for number in range(1, last + 1):
        fence = Fence(1, number)
        store.open_round(opening(fence, nonce=f"open {number}"))
        store.put_ballot(PutBallot(Ballot(fence, "site-a", ballot().ranking)))
        store.decide(decide(fence, nonce=f"decide {number}"))
    assert store.read_ballots(Fence(1, 1)) == []
    assert [len(store.read_ballots(Fence(1, number))) for number in range(3, last + 1)] == [1] * (last - 2)


def test_of_many_openers_one_opens_and_all_others_see_its_round(store: SwarmStore) -> None:
    def attempt(number: int) -> Applied | Refused:
        return store.open_round(opening(nonce=f"opener {number}"))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(16)))

    won = [number for number, answer in enumerate(answers) if isinstance(answer, Applied)]
    assert len(won) == 1
    current = store.read_current()
    assert current.nonce == f"opener {won[0]}"
    assert all(answer == Refused(current) for answer in answers if not isinstance(answer, Applied))


def test_claims_of_different_sites_do_not_undo_one_another(store: SwarmStore) -> None:
    store.open_round(opening())
    store.decide(decide())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.claim(claim(site=f"site-{number}", incarnation=number)), range(16)))

    assert store.read_current().claims == {f"site-{number}": number for number in range(16)}


def test_a_roster_before_its_first_change_is_version_0_and_needs_no_genesis(empty: SwarmStore) -> None:
    assert empty.read_roster() == Roster()
    assert empty.change_roster(ChangeRoster(roster(2))) == Refused(Roster())
    assert empty.read_roster() == Roster()

    assert empty.change_roster(ChangeRoster(roster(1))) == Applied()
    with pytest.raises(NotProvisioned):
        empty.read_current()


def test_a_roster_comes_back_whole_and_rounds_leave_it_alone(store: SwarmStore) -> None:
    members = tuple(
        RosterMember(f"site-{number:02}", f"http://10.0.0.{number}:8200", None if number % 2 else '{"name": "\u00fc"}')
        for number in range(50)
    )
    full = Roster(1, members, "the first")
    assert store.change_roster(ChangeRoster(full)) == Applied()
    store.open_round(opening())
    store.put_ballot(PutBallot(ballot("site-a")))
    store.decide(decide())
    assert store.read_roster() == full
    assert store.change_roster(full.left("site-00", "the second")) == Applied()
    assert store.read_roster() == Roster(2, members[1:], "the second")
    assert store.read_current().roster == ROSTER


def test_a_change_of_the_roster_sent_again_finds_itself(store: SwarmStore) -> None:
    write = ChangeRoster(roster(1, "mine"))
    store.change_roster(write)
    again = store.change_roster(write)
    assert again == Refused(roster(1, "mine"))
    assert write.is_in(roster(1, "mine"))
    assert not ChangeRoster(roster(1, "another")).is_in(roster(1, "mine"))


def test_many_who_join_at_once_are_all_members(store: SwarmStore) -> None:
    def join(number: int) -> int:
        for attempt in range(1, 100):
            write = store.read_roster().joined(RosterMember(f"site-{number}", "http://x:1"), f"{number}/{attempt}")
            if store.change_roster(write) == Applied():
                return attempt
        raise AssertionError("a hundred times somebody else came first")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join, range(16)))

    assert store.read_roster().version == 16
    assert set(store.read_roster().sites) == {f"site-{number}" for number in range(16)}


def test_two_metros_in_one_directory_do_not_meet(tmp_path: Path) -> None:
    one, other = (JsonFileSwarmStore(tmp_path, metro) for metro in ("berlin", "berlin-2"))
    one.genesis(Genesis())
    with pytest.raises(NotProvisioned):
        other.read_current()
    other.genesis(Genesis(Fence(3, 0)))
    one.open_round(opening())
    one.put_ballot(PutBallot(ballot()))
    assert other.read_current().fence == Fence(3, 0)
    assert other.read_ballots(Fence(1, 1)) == []
    one.change_roster(ChangeRoster(roster()))
    assert other.read_roster() == Roster()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: text[: len(text) // 2], "damaged or cut short"),
        (lambda text: text.replace('"open"', '"ajar"'), "no current round"),
        (lambda text: text.replace('"q": 2', '"q": 9'), "its quorum does not fit its roster"),
        (lambda text: text.replace('"rnd": 1', '"rnd": "many"'), "no current round"),
    ],
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, damage: Callable[[str], str], complaint: str) -> None:
    store = JsonFileSwarmStore(tmp_path, "test")
    store.genesis(Genesis())
    store.open_round(opening())
    file = tmp_path / "swarm.json"
    damaged = damage(file.read_text())
    assert damaged != file.read_text()
    file.write_text(damaged)

    for call in (store.read_current, lambda: store.open_round(opening(Fence(1, 2)))):
        with pytest.raises(StateCorrupt, match=rf"swarm.json cannot be used.*{complaint}.*higher epoch"):
            call()
    assert file.read_text() == damaged


def test_a_roster_that_nobody_can_have_written_is_named_and_left_alone(tmp_path: Path) -> None:
    store = JsonFileSwarmStore(tmp_path, "test")
    store.change_roster(ChangeRoster(roster()))
    file = tmp_path / "swarm.json"
    damaged = file.read_text().replace('"site": "site-b"', '"site": "site-a"')
    file.write_text(damaged)
    for call in (store.read_roster, lambda: store.change_roster(ChangeRoster(roster(2)))):
        with pytest.raises(StateCorrupt, match=r"swarm.json cannot be used.*a site is on it twice"):
            call()
    assert file.read_text() == damaged


def test_a_candidate_is_the_same_after_it_was_stored() -> None:
    assert Candidate(CHANGE.action, CHANGE.site, CHANGE.target, CHANGE.of, CHANGE.model).id == CHANGE.id
