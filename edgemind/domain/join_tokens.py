"""One-time tokens with which a site joins: how they look, how they are kept, and when one may be used.

A token is `ej_` and 32 url-safe characters (192 bits). Kept is its SHA-256, one token a site: a new invitation replaces
the one before. It is used by one declaration only, which may be sent again with it while it has not expired, because
its answer may be lost.
"""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

from edgemind.errors import PermanentError

TOKEN_BYTES = 24
TTL_LIMIT_S = 30 * 86_400
_TOKEN = re.compile(r"ej_[A-Za-z0-9_-]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class JoinToken:
    """As stored. `used_by` is the SHA-256 (hex) of the declaration that used it; None while nobody has."""

    site: str
    sha256: str
    expires_ms: int
    used_by: str | None = None


class JoinRefused(PermanentError):
    """A token that does not let this site in; the message says why, and what to do."""


def new_token(entropy: bytes) -> str:
    """ValueError unless there are `TOKEN_BYTES` unguessable bytes."""
    if len(entropy) != TOKEN_BYTES:
        raise ValueError(f"a join token takes {TOKEN_BYTES} random bytes, not {len(entropy)}")
    return f"ej_{urlsafe_b64encode(entropy).decode('ascii')}"


def hash_token(token: str) -> str:
    """What is stored of it. JoinRefused for what is no token at all."""
    if not _TOKEN.fullmatch(token):
        raise JoinRefused("this is no join token: they begin with ej_ and have 35 characters; copy the whole of it")
    return sha256(token.encode("ascii")).hexdigest()


def admit(held: JoinToken | None, presented: JoinToken, now_ms: int) -> None:
    """JoinRefused unless `presented` (with the declaration that wants to use it) is the token held for its site."""
    site = presented.site
    again = f"ask for a new one: edgemind sites invite {site}"
    if held is None or held.sha256 != presented.sha256:
        raise JoinRefused(f"this token is not one for {site}: use the name that it was made for, or {again}")
    if held.used_by not in {None, presented.used_by}:
        raise JoinRefused(f"this token was used already, with another declaration of {site}; {again}")
    if held.expires_ms <= now_ms:
        raise JoinRefused(f"this token has expired; {again}")
