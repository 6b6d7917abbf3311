"""Who belongs to the metro: one stored list, changed only by who read it as it is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from edgemind.errors import PermanentError

MEMBERS_LIMIT = 100
"""Rosters beyond this would not fit the current round's item in the few kilobytes that a write should cost."""
DECLARATIONS_LIMIT_BYTES = 300_000
"""Of all members together: an item of a table holds 400 KB."""


@dataclass(frozen=True, slots=True)
class RosterMember:
    """`declaration`: of a site that joined, as JSON, in the shape of an entry of `sites` in edgemind.yaml; None for one
    that every site has in its own edgemind.yaml."""

    site: str
    controller_url: str
    declaration: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """`version` grows by one with each change; 0 stands for a metro whose roster was never changed, and has no members:
    the sites that edgemind.yaml declares are meant. `nonce` names the write that made it.

    A change takes effect with the next round that opens: a round's own roster is frozen.
    """

    version: int = 0
    members: tuple[RosterMember, ...] = ()
    nonce: str = ""

    @property
    def sites(self) -> tuple[str, ...]:
        return tuple(member.site for member in self.members)

    def member(self, site: str) -> RosterMember | None:
        return next((member for member in self.members if member.site == site), None)

    def or_declared(self, declared: Iterable[RosterMember]) -> "Roster":
        """Itself; before its first change, with the members that edgemind.yaml declares."""
        return self if self.version else replace(self, members=_ordered(declared))

    def joined(self, member: RosterMember, nonce: str) -> "ChangeRoster":
        """The write that adds a member, or replaces its entry."""
        others = (held for held in self.members if held.site != member.site)
        return ChangeRoster(Roster(self.version + 1, _ordered((*others, member)), nonce))

    def left(self, site: str, nonce: str) -> "ChangeRoster":
        """The write that takes a member out. PermanentError if it is none, or the last one."""
        rest = tuple(held for held in self.members if held.site != site)
        if len(rest) == len(self.members):
            raise PermanentError(f"{site} is no member; members are {', '.join(self.sites)}")
        if not rest:
            raise PermanentError(f"{site} is the last member: a metro without members could decide nothing. Stop it.")
        return ChangeRoster(Roster(self.version + 1, rest, nonce))

    def validate(self) -> None:
        """Raise PermanentError with the first thing that no correct writer can have written."""
        size = sum(len((member.declaration or "").encode()) for member in self.members)
        checks = [
            (self.version < 0, "its version is below 0"),
            (len(self.members) > MEMBERS_LIMIT, f"it has more than {MEMBERS_LIMIT} members"),
            (len(set(self.sites)) < len(self.members), "a site is on it twice"),
            (bool(self.version) != bool(self.members), "only one that was never changed has no members"),
            (size > DECLARATIONS_LIMIT_BYTES, f"its declarations exceed {DECLARATIONS_LIMIT_BYTES} bytes"),
        ]
        for wrong, finding in checks:
            if wrong:
                raise PermanentError(f"roster version {self.version}: {finding}")


@dataclass(frozen=True, slots=True)
class ChangeRoster:
    """Put `roster`, if the stored one is the version before it. PermanentError for one that nobody could read."""

    roster: Roster

    conditions: ClassVar[Mapping[str, Callable[["ChangeRoster", Roster], bool]]] = {
        "version": lambda write, now: now.version == write.roster.version - 1,
    }

    def __post_init__(self) -> None:
        self.roster.validate()

    def is_in(self, now: Roster) -> bool:
        """Whether this very write made `now`: then a refusal only says that it was sent twice."""
        return now.version == self.roster.version and now.nonce == self.roster.nonce


def _ordered(members: Iterable[RosterMember]) -> tuple[RosterMember, ...]:
    """By name: every site must see the deputies of a round in one order."""
    return tuple(sorted(members, key=lambda member: member.site))
