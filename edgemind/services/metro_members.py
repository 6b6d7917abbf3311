"""Sites that join and leave a metro while it runs: an invitation, a token used once, and a conditional change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from edgemind.domain.join_tokens import TOKEN_BYTES, JoinToken, hash_token, new_token
from edgemind.domain.swarm.protocol import Applied
from edgemind.domain.swarm.roster import ChangeRoster, Roster, RosterMember
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.state_store import StateStore
from edgemind.ports.swarm_store import OutcomeUnknown, SwarmStore

ATTEMPTS = 8
"""Changes of the roster are rare: so many in a row that were lost or came too late are a store in trouble."""
NONCE_BYTES = 8


class RosterContended(TemporaryError):
    """The roster could not be changed: somebody else was first, or no answer came, again and again."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """`token` is known whole at this moment only. `expires_ms` is wall time in milliseconds."""

    site: str
    token: str
    expires_ms: int


class MetroMembers:
    """Every method blocks for as long as the stores do. `declared` are the sites that edgemind.yaml gives a controller;
    `changed` hears of each roster that was stored here."""

    def __init__(
        self,
        stores: tuple[StateStore, SwarmStore],
        declared: Callable[[], Sequence[RosterMember]],
        clock: Clock,
        entropy: Callable[[int], bytes],
        changed: Callable[[Roster], None],
    ) -> None:
        self._state, self._swarm = stores
        self._declared = declared
        self._clock = clock
        self._entropy = entropy
        self._changed = changed

    def invite(self, site: str, ttl_s: int) -> Invitation:
        """A new token for a site of this name; one that it had before is void."""
        token = new_token(self._entropy(TOKEN_BYTES))
        expires_ms = self._clock.wall_ms() + ttl_s * 1000
        self._state.put_join_token(JoinToken(site, hash_token(token), expires_ms))
        return Invitation(site, token, expires_ms)

    def join(self, token: str, member: RosterMember) -> Roster:
        """The roster with that member. JoinRefused if the token does not let it in; PermanentError if it cannot be one.

        The same again is answered again: a newcomer whose answer was lost asks once more.
        """
        known = next((one for one in self._declared() if one.site == member.site), None)
        if known is not None and known.controller_url != member.controller_url:
            raise PermanentError(
                f"{member.site} is declared in edgemind.yaml, with its controller at {known.controller_url}: join as "
                "it stands there, or take it out there first"
            )
        declared = sha256(f"{member.controller_url}\n{member.declaration}".encode()).hexdigest()
        presented = JoinToken(member.site, hash_token(token), 0, declared)
        self._state.use_join_token(presented, self._clock.wall_ms())
        # Who stands in everybody's edgemind.yaml needs no declaration on the roster.
        entry = known or member
        return self._change(
            lambda roster, nonce: None if roster.member(entry.site) == entry else roster.joined(entry, nonce)
        )

    def remove(self, site: str) -> Roster:
        """The roster without that member; PermanentError if it is none, or the last one."""
        self._state.remove_join_token(site)
        return self._change(lambda roster, nonce: roster.left(site, nonce))

    def _change(self, write: Callable[[Roster, str], ChangeRoster | None]) -> Roster:
        """Read, change what was read, store it if it still stands; from the start if not."""
        for _ in range(ATTEMPTS):
            roster = self._swarm.read_roster().or_declared(self._declared())
            wanted = write(roster, self._entropy(NONCE_BYTES).hex())
            if wanted is None:
                return roster
            if self._stored(wanted):
                self._changed(wanted.roster)
                return wanted.roster
        raise RosterContended("the roster could not be changed: others changed it each time. Try again.", 1.0)

    def _stored(self, wanted: ChangeRoster) -> bool:
        for _ in range(ATTEMPTS):
            try:
                answer = self._swarm.change_roster(wanted)
            except OutcomeUnknown:
                # Sent again as it is: if it was applied after all, the refusal shows our own nonce.
                continue
            if isinstance(answer, Applied):
                return True
            return isinstance(answer.held, Roster) and wanted.is_in(answer.held)
        raise RosterContended("the roster could not be changed: the store gives no answer. Try again.", 1.0)
