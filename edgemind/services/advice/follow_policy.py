"""The change in force, as a controller follows it: whatever becomes of the store, until it expires."""

import logging

from edgemind.domain.advice.changes import PolicyInForce
from edgemind.domain.advice.overlay import overlaid
from edgemind.domain.advice.settings import PolicyValues
from edgemind.errors import EdgeMindError
from edgemind.ports.advice_store import AdviceStore
from edgemind.ports.clock import Clock

FOLLOW_S = 1.0

log = logging.getLogger("edgemind.advice")


class PolicyFollower:
    """`refresh` blocks for as long as the store does; everything else is for the event loop."""

    def __init__(self, store: AdviceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._trouble = ""
        self._told: tuple[str, str] | None = None
        self.policy = PolicyInForce()

    def refresh(self) -> None:
        """Read what is in force. A store that is away costs nothing: the last policy known goes on."""
        try:
            self.policy = self._store.read_policy()
        except EdgeMindError as exc:
            if not self._trouble:
                log.warning("advice cannot be read, the last policy known goes on until it expires: %s", exc)
            self._trouble = str(exc)
            return
        if self._trouble:
            log.info("advice can be read again: version %d", self.policy.version)
        self._trouble = ""

    def known(self, policy: PolicyInForce) -> None:
        """What this controller itself has just stored."""
        if policy.version > self.policy.version:
            self.policy = policy

    def values(self, standing: PolicyValues) -> PolicyValues:
        """What is in force at this moment, over what the file says."""
        change = self.policy.at(self._clock.wall_ms())
        if change is None:
            return standing
        values, why = overlaid(standing, change)
        if why is not None and self._told != (change.id, why):
            self._told = change.id, why
            log.warning("%s is accepted, and left aside here: %s", change.id, why)
        return values
