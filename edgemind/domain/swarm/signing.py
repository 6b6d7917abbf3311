"""The MAC over what sites tell each other: HMAC-SHA256 with a key that is made from the fleet's secret.

The key is not the secret: it signs messages of rounds and is good for nothing else. Everybody who holds the secret can
make it, so a MAC shows that a message is of the fleet, and nothing about which of its sites sent it (docs/swarm.md).
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgemind.errors import PermanentError

SIGNATURE_HEADER = "x-edgemind-signature"
PURPOSE = b"edgemind swarm messages 1"
ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`id` tells the keys of a rotation apart, and tells nothing about them."""

    id: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> "SigningKey":
        key = hmac.digest(secret.encode(), PURPOSE, "sha256")
        return cls(hashlib.sha256(key).hexdigest()[:ID_CHARS], key)

    def mac(self, body: bytes) -> str:
        return hmac.new(self.key, body, "sha256").hexdigest()


class FleetKeys:
    """`secrets`: the one to sign with, then those that are accepted too. Without any, nothing is signed or accepted."""

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [SigningKey.of(secret) for secret in secrets if secret]
        self._own = keys[0] if keys else None
        self._accepted = {key.id: key for key in keys}

    def sign(self, body: bytes) -> str:
        """The signature's header, `KEY_ID:MAC`. PermanentError without a secret."""
        if self._own is None:
            raise PermanentError("messages between sites are signed with fleet.secret, and there is none: set it")
        return f"{self._own.id}:{self._own.mac(body)}"

    def flaw(self, signature: str | None, body: bytes) -> str | None:
        """What is wrong with a signature; None if it is good."""
        if not signature:
            return "it is not signed"
        key_id, _, mac = signature.partition(":")
        key = self._accepted.get(key_id)
        if key is None:
            return "it is signed with a key that is none of ours: do both sites have the same fleet.secret?"
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), key.mac(body).encode()):
            return "its signature does not fit it: it was changed on the way, or made up"
        return None
