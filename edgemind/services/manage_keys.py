"""Create, list and revoke API keys."""

from collections.abc import Callable, Collection, Sequence

from edgemind.domain.keys import ENTROPY_BYTES, LIVE_KEYS_PER_TENANT, ApiKey, IssuedKey, issue_key, parse_key_id
from edgemind.errors import ConfigurationError
from edgemind.ports.clock import Clock
from edgemind.ports.state_store import StateStore


class ManageKeys:
    """`entropy(n)` gives n unguessable bytes (`secrets.token_bytes`); `tenants` are the configured names."""

    def __init__(
        self, store: StateStore, clock: Clock, tenants: Collection[str], entropy: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._clock = clock
        self._tenants = tenants
        self._entropy = entropy

    def create(self, tenant: str) -> IssuedKey:
        """A new live key; ConfigurationError if the tenant is not configured, PermanentError if it has its two."""
        if tenant not in self._tenants:
            known = ", ".join(sorted(self._tenants)) or "none"
            raise ConfigurationError(
                f"there is no tenant {tenant} in the configuration (known: {known}). Name one of those, or add it."
            )
        issued = issue_key(tenant, self._entropy(ENTROPY_BYTES), self._clock.wall_ms())
        self._store.add_key(issued.stored, LIVE_KEYS_PER_TENANT)
        return issued

    def list(self) -> Sequence[ApiKey]:
        """Every key, revoked ones too, by creation."""
        return self._store.list_keys()

    def revoke(self, key: str) -> ApiKey:
        """Revoke by id, or by the whole key, which is what somebody who found a leaked one has at hand."""
        return self._store.revoke_key(parse_key_id(key) or key, self._clock.wall_ms())
