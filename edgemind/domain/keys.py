"""API keys: how they look, how they are stored, and how a gateway finds the tenant behind one.

A key is `em_<id>_<secret>`: 8 hex digits that name it to people and 32 url-safe characters (192 bits) that only its
holder has. Stored is the SHA-256 of the whole key; `docs/adr/0010-keys-are-random-and-stored-hashed.md` says why a fast
hash is the right one here.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

ID_BYTES = 4
SECRET_BYTES = 24
ENTROPY_BYTES = ID_BYTES + SECRET_BYTES
LIVE_KEYS_PER_TENANT = 2
"""Two, so that a tenant changes its key without a gap: create the new one, deploy it, revoke the old one."""

_KEY = re.compile(r"em_([0-9a-f]{8})_[A-Za-z0-9_-]{32}", re.ASCII)
_KEY_LENGTH = 44


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as stored: only its SHA-256 (hex). Times are wall milliseconds; `revoked_ms` is None while live."""

    key_id: str
    tenant: str
    sha256: str
    created_ms: int
    revoked_ms: int | None = None

    @property
    def live(self) -> bool:
        return self.revoked_ms is None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key at the only moment when it is known whole: `secret` is what the tenant sends, `stored` what is kept."""

    secret: str = field(repr=False)
    stored: ApiKey


def issue_key(tenant: str, entropy: bytes, created_ms: int) -> IssuedKey:
    """A new live key from `ENTROPY_BYTES` unguessable bytes; ValueError for any other number of them.

    The id takes bytes of its own, so that printing it in lists and logs gives away nothing of the secret.
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a key takes {ENTROPY_BYTES} random bytes, not {len(entropy)}")
    key_id = entropy[:ID_BYTES].hex()
    secret = f"em_{key_id}_{urlsafe_b64encode(entropy[ID_BYTES:]).decode('ascii')}"
    return IssuedKey(secret, ApiKey(key_id, tenant, hash_key(secret), created_ms))


def parse_key_id(key: str) -> str | None:
    """The id inside a whole key, or None if `key` is not one."""
    match = _KEY.fullmatch(key)
    return match.group(1) if match else None


def hash_key(key: str) -> str:
    """What is stored of a key: the SHA-256 of its ASCII bytes, in hex."""
    return sha256(key.encode("ascii")).hexdigest()


def live_key_ids(keys: Iterable[ApiKey], tenant: str) -> tuple[str, ...]:
    """Ids of the keys with which `tenant` may call now, in the order given."""
    return tuple(key.key_id for key in keys if key.tenant == tenant and key.live)


class KeyRing:
    """The live keys at one moment, never changed: whoever holds a ring may remember its answers until the next ring.

    Lookup is by digest, so its duration tells nothing about how much of a guessed key was right.
    """

    __slots__ = ("_tenant_by_digest",)

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._tenant_by_digest = {bytes.fromhex(key.sha256): key.tenant for key in keys if key.live}

    def __len__(self) -> int:
        return len(self._tenant_by_digest)

    def tenant_for(self, authorization_header: bytes) -> str | None:
        """The tenant behind `Bearer em_...` (the raw header value), or None: no key, a wrong one, a revoked one.

        The length is checked before hashing, so that a header of 32 KiB costs no more than a short one.
        """
        scheme, _, rest = authorization_header.partition(b" ")
        key = rest.strip(b" ")
        if len(key) != _KEY_LENGTH or scheme.lower() != b"bearer":
            return None
        return self._tenant_by_digest.get(sha256(key).digest())
