"""What must outlive a process: site registrations, drains, API keys, join tokens, and where audit journals stood.

Every method is one call of the store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgemind.domain.audit.checkpoints import Checkpoint
from edgemind.domain.join_tokens import JoinToken
from edgemind.domain.keys import ApiKey

__all__ = ["ApiKey", "Checkpoint", "JoinToken", "SiteRegistration", "StateStore"]


@dataclass(frozen=True, slots=True)
class SiteRegistration:
    """A site's entry in the registry, renewed as its heartbeat. `heartbeat_ms` is wall time in milliseconds.

    `incarnation` grows with each start of the site's controller.
    """

    site: str
    incarnation: int
    controller_url: str
    gateway_url: str | None
    heartbeat_ms: int
    version: str


class StateStore(Protocol):
    """Raises StoreUnavailable (try again) or StateCorrupt (a person must act) from every method.

    Mutations are atomic and durable when they return: a killed process leaves the old record or the new one. Any of
    them may be sent again with the same arguments when its answer was lost. Calls block: keep them off event loops.
    """

    def put_registration(self, registration: SiteRegistration) -> None:
        """Insert or renew a site's registration; PermanentError if a newer incarnation of the site holds it."""

    def list_registrations(self) -> Sequence[SiteRegistration]:
        """All registrations, by site name."""

    def remove_registration(self, site: str) -> None:
        """Forget a site; absent is fine."""

    def set_drain(self, site: str, since_ms: int | None) -> None:
        """Record that a site is out of service since a wall time in milliseconds, or (None) no longer."""

    def drained_sites(self) -> Mapping[str, int]:
        """The sites out of service, and since when."""

    def add_key(self, key: ApiKey, live_limit: int) -> None:
        """Store a new key; PermanentError if its tenant already has `live_limit` live keys (checked atomically).

        StoreUnavailable if another key has this id: with 32 random bits that is chance, and a new key will do.
        """

    def revoke_key(self, key_id: str, revoked_ms: int) -> ApiKey:
        """Mark a key revoked (again is fine, the first time stands); PermanentError if there is no such key."""

    def list_keys(self) -> Sequence[ApiKey]:
        """All keys, revoked ones too, by creation."""

    def keys_version(self) -> str:
        """A value that changes whenever a key does: cheap to ask every second."""

    def put_join_token(self, token: JoinToken) -> None:
        """Keep a site's token, in place of an older one."""

    def use_join_token(self, token: JoinToken, now_ms: int) -> None:
        """Mark the site's token as used by `token.used_by`, if `domain.join_tokens.admit` lets it; atomically.

        JoinRefused otherwise. `now_ms` is wall time in milliseconds.
        """

    def remove_join_token(self, site: str) -> None:
        """A site that left must be invited anew; absent is fine."""

    def put_audit_anchor(self, checkpoint: Checkpoint) -> None:
        """Keep where a journal stands, one checkpoint a site and chain.

        PermanentError if a later one is held, or another one of the same length: anchors never go back.
        """

    def audit_anchors(self) -> Sequence[Checkpoint]:
        """All of them, by site and chain."""

    def remove_audit_anchor(self, site: str, chain: str) -> None:
        """Accept that a journal is gone; absent is fine."""
