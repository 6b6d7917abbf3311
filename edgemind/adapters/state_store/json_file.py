"""The state store of a laptop or a single host: a directory with one JSON file per kind of record."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from edgemind.adapters.state_store.json_document import DocumentKind, JsonDocument
from edgemind.adapters.state_store.records import (
    Record,
    anchor_record,
    drain_record,
    join_token_record,
    key_record,
    read_anchor,
    read_drain,
    read_join_token,
    read_key,
    read_registration,
    registration_record,
)
from edgemind.adapters.state_store.rules import admit_anchor, admit_key, admit_registration, find_key
from edgemind.domain.join_tokens import admit
from edgemind.errors import StateCorrupt
from edgemind.ports.state_store import ApiKey, Checkpoint, JoinToken, SiteRegistration

SITES = DocumentKind(
    file_name="sites.json",
    recovery="Move it aside: every running site registers again within seconds.",
    remade=True,
)
DRAINS = DocumentKind(
    file_name="drains.json",
    recovery="Move it aside, and drain again what has to be out of service: edgemind sites drain SITE.",
    remade=False,
)
KEYS = DocumentKind(
    file_name="keys.json",
    recovery=(
        "Put a copy from a backup in its place; without one, move it aside, create new keys with "
        "`edgemind keys create`, and restart what still runs."
    ),
    remade=False,
)
JOIN_TOKENS = DocumentKind(
    file_name="join_tokens.json",
    recovery="Move it aside, and invite anew who has not joined yet: edgemind sites invite SITE.",
    remade=False,
)

ANCHORS = DocumentKind(
    file_name="audit_anchors.json",
    recovery=(
        "Put a copy from a backup in its place; without one, nothing proves what the audit journals held until now: "
        "move it aside, and they are anchored anew from here on."
    ),
    remade=False,
)

_Stored = TypeVar("_Stored")


class JsonFileStateStore:
    """`StateStore` in files below `directory`, made (0700) with the first write. Many processes may share it."""

    def __init__(self, directory: Path, lock_timeout_s: float = 5.0) -> None:
        self._sites = JsonDocument(directory, SITES, lock_timeout_s)
        self._drains = JsonDocument(directory, DRAINS, lock_timeout_s)
        self._keys = JsonDocument(directory, KEYS, lock_timeout_s)
        self._join_tokens = JsonDocument(directory, JOIN_TOKENS, lock_timeout_s)
        self._anchors = JsonDocument(directory, ANCHORS, lock_timeout_s)

    def put_registration(self, registration: SiteRegistration) -> None:
        with self._sites.edit() as records:
            held = _typed(self._sites, records, read_registration)
            admit_registration(registration, held.get(registration.site))
            records[registration.site] = registration_record(registration)

    def list_registrations(self) -> Sequence[SiteRegistration]:
        held = _typed(self._sites, self._sites.read(), read_registration)
        return sorted(held.values(), key=lambda registration: registration.site)

    def remove_registration(self, site: str) -> None:
        with self._sites.edit() as records:
            records.pop(site, None)

    def set_drain(self, site: str, since_ms: int | None) -> None:
        with self._drains.edit() as records:
            if since_ms is None:
                records.pop(site, None)
            else:
                records[site] = drain_record(site, since_ms)

    def drained_sites(self) -> Mapping[str, int]:
        return dict(_typed(self._drains, self._drains.read(), read_drain).values())

    def add_key(self, key: ApiKey, live_limit: int) -> None:
        with self._keys.edit() as records:
            if admit_key(key, _typed(self._keys, records, read_key), live_limit):
                records[key.key_id] = key_record(key)

    def revoke_key(self, key_id: str, revoked_ms: int) -> ApiKey:
        with self._keys.edit() as records:
            key = find_key(key_id, _typed(self._keys, records, read_key))
            if key.live:
                records[key_id] = {**records[key_id], "revoked_ms": revoked_ms}
                key = read_key(records[key_id])
            return key

    def list_keys(self) -> Sequence[ApiKey]:
        held = _typed(self._keys, self._keys.read(), read_key)
        return sorted(held.values(), key=lambda key: (key.created_ms, key.key_id))

    def keys_version(self) -> str:
        return self._keys.version()

    def put_join_token(self, token: JoinToken) -> None:
        with self._join_tokens.edit() as records:
            records[token.site] = join_token_record(token)

    def use_join_token(self, token: JoinToken, now_ms: int) -> None:
        with self._join_tokens.edit() as records:
            admit(_typed(self._join_tokens, records, read_join_token).get(token.site), token, now_ms)
            records[token.site] = {**records[token.site], "used_by": token.used_by}

    def remove_join_token(self, site: str) -> None:
        with self._join_tokens.edit() as records:
            records.pop(site, None)

    def put_audit_anchor(self, checkpoint: Checkpoint) -> None:
        place = f"{checkpoint.site}/{checkpoint.chain}"
        with self._anchors.edit() as records:
            admit_anchor(checkpoint, _typed(self._anchors, records, read_anchor).get(place))
            records[place] = anchor_record(checkpoint)

    def audit_anchors(self) -> Sequence[Checkpoint]:
        held = _typed(self._anchors, self._anchors.read(), read_anchor)
        return [held[place] for place in sorted(held)]

    def remove_audit_anchor(self, site: str, chain: str) -> None:
        with self._anchors.edit() as records:
            records.pop(f"{site}/{chain}", None)


def _typed(
    document: JsonDocument, records: Mapping[str, Record], read: Callable[[Record], _Stored]
) -> dict[str, _Stored]:
    """Every record read, or none: a store that skipped a damaged key record would let a revoked key's twin in."""
    typed = {}
    for name, record in records.items():
        try:
            typed[name] = read(record)
        except StateCorrupt as exc:
            raise document.corrupt(f'record "{name}": {exc}') from exc
    return typed
