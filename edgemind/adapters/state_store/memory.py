"""A state store for one process: tests, and a gateway that is tried out alone. Gone when the process ends."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgemind.adapters.state_store.rules import admit_anchor, admit_key, admit_registration, find_key
from edgemind.domain.join_tokens import admit
from edgemind.ports.state_store import ApiKey, Checkpoint, JoinToken, SiteRegistration


class MemoryStateStore:
    """`StateStore` in dictionaries. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registrations: dict[str, SiteRegistration] = {}
        self._drains: dict[str, int] = {}
        self._keys: dict[str, ApiKey] = {}
        self._key_changes = 0
        self._join_tokens: dict[str, JoinToken] = {}
        self._anchors: dict[tuple[str, str], Checkpoint] = {}

    def put_registration(self, registration: SiteRegistration) -> None:
        with self._lock:
            admit_registration(registration, self._registrations.get(registration.site))
            self._registrations[registration.site] = registration

    def list_registrations(self) -> Sequence[SiteRegistration]:
        with self._lock:
            return sorted(self._registrations.values(), key=lambda registration: registration.site)

    def remove_registration(self, site: str) -> None:
        with self._lock:
            self._registrations.pop(site, None)

    def set_drain(self, site: str, since_ms: int | None) -> None:
        with self._lock:
            if since_ms is None:
                self._drains.pop(site, None)
            else:
                self._drains[site] = since_ms

    def drained_sites(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._drains)

    def add_key(self, key: ApiKey, live_limit: int) -> None:
        with self._lock:
            if admit_key(key, self._keys, live_limit):
                self._keys[key.key_id] = key
                self._key_changes += 1

    def revoke_key(self, key_id: str, revoked_ms: int) -> ApiKey:
        with self._lock:
            key = find_key(key_id, self._keys)
            if key.live:
                key = self._keys[key_id] = replace(key, revoked_ms=revoked_ms)
                self._key_changes += 1
            return key

    def list_keys(self) -> Sequence[ApiKey]:
        with self._lock:
            return sorted(self._keys.values(), key=lambda key: (key.created_ms, key.key_id))

    def keys_version(self) -> str:
        return str(self._key_changes)

    def put_join_token(self, token: JoinToken) -> None:
        with self._lock:
            self._join_tokens[token.site] = token

    def use_join_token(self, token: JoinToken, now_ms: int) -> None:
        with self._lock:
            held = self._join_tokens.get(token.site)
            admit(held, token, now_ms)
            if held is not None:
                self._join_tokens[token.site] = replace(held, used_by=token.used_by)

    def remove_join_token(self, site: str) -> None:
        with self._lock:
            self._join_tokens.pop(site, None)

    def put_audit_anchor(self, checkpoint: Checkpoint) -> None:
        with self._lock:
            place = (checkpoint.site, checkpoint.chain)
            admit_anchor(checkpoint, self._anchors.get(place))
            self._anchors[place] = checkpoint

    def audit_anchors(self) -> Sequence[Checkpoint]:
        with self._lock:
            return [self._anchors[place] for place in sorted(self._anchors)]

    def remove_audit_anchor(self, site: str, chain: str) -> None:
        with self._lock:
            self._anchors.pop((site, chain), None)
