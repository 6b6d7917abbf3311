"""Stored records and the objects they stand for. Every record carries the version of the schema it was written with.

`schema_version` is "MAJOR.MINOR". A higher minor only adds fields: they are kept when the record is written again. A
higher major cannot be read at all.
"""

import re
from collections.abc import Mapping

from edgemind.errors import StateCorrupt
from edgemind.ports.state_store import ApiKey, Checkpoint, JoinToken, SiteRegistration

SCHEMA_MAJOR = 1
SCHEMA_VERSION = f"{SCHEMA_MAJOR}.0"

Record = Mapping[str, object]
"""A stored record before it is typed."""

_VERSION = re.compile(r"([0-9]{1,6})\.[0-9]{1,6}", re.ASCII)
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999. Every number stored is a time, or an incarnation made from one: more is damage."""


def check_schema(record: Record) -> None:
    """StateCorrupt, without a place, unless this program can read the record's schema."""
    version = _text(record, "schema_version")
    parts = _VERSION.fullmatch(version)
    if parts is None:
        raise StateCorrupt(f'schema_version is "{version[:40]}", not "MAJOR.MINOR"')
    if int(parts.group(1)) > SCHEMA_MAJOR:
        raise StateCorrupt(
            f"it was written by a newer EdgeMind (schema {version}; this one reads up to {SCHEMA_MAJOR}.x): "
            "upgrade this EdgeMind"
        )


def registration_record(registration: SiteRegistration) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "site": registration.site,
        "incarnation": registration.incarnation,
        "controller_url": registration.controller_url,
        "gateway_url": registration.gateway_url,
        "heartbeat_ms": registration.heartbeat_ms,
        "version": registration.version,
    }


def read_registration(record: Record) -> SiteRegistration:
    check_schema(record)
    return SiteRegistration(
        site=_text(record, "site"),
        incarnation=_number(record, "incarnation"),
        controller_url=_text(record, "controller_url"),
        gateway_url=None if _is_null(record, "gateway_url") else _text(record, "gateway_url"),
        heartbeat_ms=_number(record, "heartbeat_ms"),
        version=_text(record, "version"),
    )


def drain_record(site: str, since_ms: int) -> Record:
    return {"schema_version": SCHEMA_VERSION, "site": site, "since_ms": since_ms}


def read_drain(record: Record) -> tuple[str, int]:
    check_schema(record)
    return _text(record, "site"), _number(record, "since_ms")


def key_record(key: ApiKey) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "key_id": key.key_id,
        "tenant": key.tenant,
        "sha256": key.sha256,
        "created_ms": key.created_ms,
        "revoked_ms": key.revoked_ms,
    }


def read_key(record: Record) -> ApiKey:
    check_schema(record)
    return ApiKey(
        key_id=_text(record, "key_id"),
        tenant=_text(record, "tenant"),
        sha256=_digest(record, "sha256"),
        created_ms=_number(record, "created_ms"),
        revoked_ms=None if _is_null(record, "revoked_ms") else _number(record, "revoked_ms"),
    )


def join_token_record(token: JoinToken) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "site": token.site,
        "sha256": token.sha256,
        "expires_ms": token.expires_ms,
        "used_by": token.used_by,
    }


def read_join_token(record: Record) -> JoinToken:
    check_schema(record)
    return JoinToken(
        site=_text(record, "site"),
        sha256=_digest(record, "sha256"),
        expires_ms=_number(record, "expires_ms"),
        used_by=None if _is_null(record, "used_by") else _digest(record, "used_by"),
    )


def anchor_record(checkpoint: Checkpoint) -> Record:
    """`sequence` and `hash` are words of DynamoDB's, so they are called otherwise here."""
    return {
        "schema_version": SCHEMA_VERSION,
        "site": checkpoint.site,
        "chain": checkpoint.chain,
        "records": checkpoint.sequence,
        "head": checkpoint.hash,
        "at_ms": checkpoint.at_ms,
        "signature": checkpoint.signature,
    }


def read_anchor(record: Record) -> Checkpoint:
    check_schema(record)
    return Checkpoint(
        site=_text(record, "site"),
        chain=_text(record, "chain"),
        sequence=_number(record, "records"),
        hash=_digest(record, "head"),
        at_ms=_number(record, "at_ms"),
        signature=_text(record, "signature"),
    )


def _digest(record: Record, name: str) -> str:
    digest = _text(record, name)
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise StateCorrupt(f"{name} is not 64 hex digits")
    return digest


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise StateCorrupt(f"{name} is missing or no text")
    return value


def _number(record: Record, name: str) -> int:
    value = record.get(name)
    # bool is an int to Python, but `true` is no time and no incarnation.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_MS:
        raise StateCorrupt(f"{name} is missing or no whole number in its range")
    return value


def _is_null(record: Record, name: str) -> bool:
    """Null is an answer, absence is damage: a key whose `revoked_ms` was lost must not come back to life."""
    return name in record and record[name] is None
