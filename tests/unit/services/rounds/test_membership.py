"""The roster that a controller hands to its driver: read, kept while it cannot be read, and declared before that."""

import pytest

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.roster import Roster, RosterMember
from edgemind.ports.swarm_store import StoreUnavailable
from edgemind.services.rounds.membership import SwarmMembership

DECLARED = [RosterMember(name, f"http://{name}:8200") for name in ("b", "a", "c")]


class Store(MemorySwarmStore):
    """`MemorySwarmStore` that can be away."""

    away: str | None = None

    def read_roster(self) -> Roster:
        if self.away:
            raise StoreUnavailable(self.away)
        return super().read_roster()


class Taken:
    """The driver's `membership(roster, suspected)`."""

    def __init__(self) -> None:
        self.last: tuple[tuple[str, ...], frozenset[str]] | None = None

    def take(self, roster: tuple[str, ...], suspected: frozenset[str]) -> None:
        self.last = roster, suspected


def handed(membership: SwarmMembership) -> tuple[tuple[str, ...], frozenset[str]] | None:
    taken = Taken()
    membership.hand_over(taken.take)
    return taken.last


@pytest.fixture
def store() -> Store:
    return Store("test")


@pytest.fixture
def membership(store: Store) -> SwarmMembership:
    return SwarmMembership("a", store, lambda: DECLARED, lambda: frozenset({"b", "stranger"}))


def test_before_the_first_change_the_declared_sites_are_the_roster(membership: SwarmMembership) -> None:
    assert handed(membership) == (("a", "b", "c"), frozenset({"b"}))
    membership.refresh()
    assert handed(membership) == (("a", "b", "c"), frozenset({"b"}))


def test_the_stored_roster_replaces_them(membership: SwarmMembership, store: Store) -> None:
    store.change_roster(Roster().or_declared(DECLARED).left("b", "1"))
    membership.refresh()
    assert handed(membership) == (("a", "c"), frozenset())


def test_what_this_controller_stored_itself_counts_at_once_unless_newer_was_read(
    membership: SwarmMembership, store: Store
) -> None:
    first = Roster().or_declared(DECLARED).left("b", "1")
    membership.changed(first.roster)
    assert membership.roster == first.roster
    store.change_roster(first)
    store.change_roster(first.roster.left("c", "2"))
    membership.refresh()
    membership.changed(first.roster)
    assert membership.roster.sites == ("a",)


def test_while_the_store_is_away_the_last_roster_stands_and_the_log_says_so_once(
    membership: SwarmMembership, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store.change_roster(Roster().or_declared(DECLARED).left("b", "1"))
    membership.refresh()
    store.away = "nobody answers"
    for _ in range(3):
        membership.refresh()
    assert membership.roster.sites == ("a", "c")
    store.away = None
    membership.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        "the roster cannot be read, the last one known (version 1) stands: nobody answers",
        "the roster can be read again: version 1",
    ]


def test_a_site_that_is_taken_out_and_comes_back_says_so_once(
    membership: SwarmMembership, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    out = Roster().or_declared(DECLARED).left("a", "1")
    for change in (out, out.roster.joined(DECLARED[1], "2")):
        store.change_roster(change)
        membership.refresh()
        membership.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        "roster version 1: a is no member: it starts no rounds",
        "roster version 2: a is a member again: it votes and opens rounds",
    ]
