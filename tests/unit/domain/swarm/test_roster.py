"""The roster's own rules; that changes are conditional is the store's contract suite."""

import pytest

from edgemind.domain.swarm.roster import (
    DECLARATIONS_LIMIT_BYTES,
    MEMBERS_LIMIT,
    ChangeRoster,
    Roster,
    RosterMember,
)
from edgemind.errors import PermanentError


def member(name: str, declaration: str | None = None) -> RosterMember:
    return RosterMember(name, f"http://{name}:8200", declaration)


def test_before_its_first_change_the_declared_sites_are_meant_and_afterwards_never_again() -> None:
    declared = (member("b"), member("a"))
    assert Roster().or_declared(declared).sites == ("a", "b")
    first = Roster().or_declared(declared).left("a", "n").roster
    assert first == Roster(1, (member("b"),), "n")
    assert first.or_declared(declared) is first


def test_who_joins_again_is_a_member_once_with_its_newest_entry() -> None:
    once = Roster().joined(member("a"), "1").roster
    twice = once.joined(member("a", "{}"), "2").roster
    assert twice == Roster(2, (member("a", "{}"),), "2")
    assert twice.member("a") == member("a", "{}")
    assert twice.member("b") is None


@pytest.mark.parametrize(("site", "complaint"), [("z", "z is no member; members are a"), ("a", "the last member")])
def test_who_cannot_leave_is_told_why(site: str, complaint: str) -> None:
    with pytest.raises(PermanentError, match=complaint):
        Roster(3, (member("a"),), "n").left(site, "m")


@pytest.mark.parametrize(
    ("roster", "complaint"),
    [
        (Roster(1, (), "n"), "no members"),
        (Roster(1, (member("a"), member("a")), "n"), "twice"),
        (Roster(1, tuple(member(str(k)) for k in range(MEMBERS_LIMIT + 1)), "n"), "more than 100 members"),
        (Roster(1, (member("a", "x" * (DECLARATIONS_LIMIT_BYTES + 1)),), "n"), "exceed 300000 bytes"),
        (Roster(-1, (member("a"),), "n"), "below 0"),
    ],
)
def test_a_roster_that_no_store_should_hold_cannot_be_written(roster: Roster, complaint: str) -> None:
    with pytest.raises(PermanentError, match=complaint):
        ChangeRoster(roster)
