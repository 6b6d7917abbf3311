"""Signed statements of where a journal stood, kept outside it: what is anchored there cannot be cut or rewritten.

Signed by HMAC-SHA256 with a key that is made from the fleet's secret, and is good for nothing else. Who holds the
secret can sign: what a checkpoint proves rests on where it is kept (docs/audit.md).
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edgemind.domain.audit.chain import ChainEnd
from edgemind.domain.audit.encoding import canonical
from edgemind.domain.wire import DocumentInvalid, Fields

CHECKPOINT_VERSION = 1
PURPOSE = b"edgemind audit checkpoints 1"
KEY_ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """At `at_ms` (wall time) chain `chain` of `site` had `sequence` records, the last with this hash.

    A `base` says that the journal was pruned up to there; others are anchors, and none passes for the other.
    `signature` is `KEY_ID:MAC`, empty if unsigned.
    """

    site: str
    chain: str
    sequence: int
    hash: str
    at_ms: int
    base: bool = False
    signature: str = ""

    @property
    def end(self) -> ChainEnd:
        return ChainEnd(self.site, self.chain, self.sequence, self.hash)


def checkpoint_document(checkpoint: Checkpoint) -> dict[str, Any]:
    return {**_signed_part(checkpoint), "signature": checkpoint.signature}


def parse_checkpoint(document: object) -> Checkpoint:
    """DocumentInvalid names the first field that is wrong."""
    fields = Fields(document, "checkpoint")
    if fields.count("v") != CHECKPOINT_VERSION:
        raise DocumentInvalid(f"checkpoint.v is not {CHECKPOINT_VERSION}: upgrade this EdgeMind")
    return Checkpoint(
        site=fields.text("site"),
        chain=fields.text("chain"),
        sequence=fields.count("sequence"),
        hash=fields.text("hash"),
        at_ms=fields.count("at_ms"),
        base=fields.flag("base", False),
        signature=fields.long_text("signature", ""),
    )


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> "_Key":
        key = hmac.digest(secret.encode(), PURPOSE, "sha256")
        return cls(hashlib.sha256(key).hexdigest()[:KEY_ID_CHARS], key)


class CheckpointKeys:
    """`secrets`: the one to sign with, then those that are accepted too. Without any nothing is signed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [_Key.of(secret) for secret in secrets if secret]
        self._own = keys[0] if keys else None
        self._accepted: Mapping[str, _Key] = {key.id: key for key in keys}

    def __bool__(self) -> bool:
        return self._own is not None

    def signed(self, checkpoint: Checkpoint) -> Checkpoint:
        """With a signature; unsigned without a secret."""
        if self._own is None:
            return replace(checkpoint, signature="")
        return replace(checkpoint, signature=f"{self._own.id}:{_mac(self._own, checkpoint)}")

    def is_current(self, checkpoint: Checkpoint) -> bool:
        """Signed with the key that signs now, which outlives those before it."""
        return self._own is not None and checkpoint.signature.startswith(f"{self._own.id}:")

    def flaw(self, checkpoint: Checkpoint) -> str | None:
        """What is wrong with its signature; None if it is good, or if there is no secret to check it by."""
        if self._own is None:
            return None
        key_id, _, mac = checkpoint.signature.partition(":")
        key = self._accepted.get(key_id)
        if key is None:
            return (
                "is not signed with this fleet's secret, or with an older one: name that under fleet.previous_secrets"
            )
        good = hmac.compare_digest(mac.encode("utf-8", "replace"), _mac(key, checkpoint).encode())
        return None if good else "has a signature that does not fit it"


def _signed_part(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "v": CHECKPOINT_VERSION,
        "site": checkpoint.site,
        "chain": checkpoint.chain,
        "sequence": checkpoint.sequence,
        "hash": checkpoint.hash,
        "at_ms": checkpoint.at_ms,
        **({"base": True} if checkpoint.base else {}),
    }


def _mac(key: _Key, checkpoint: Checkpoint) -> str:
    return hmac.new(key.key, canonical(_signed_part(checkpoint)), "sha256").hexdigest()
