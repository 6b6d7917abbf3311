"""Keys by which a person's data can be found and erased.

A request's subject is its tenant, and within it the session that it named (`x-edgemind-session`, or `x-session-id`):
`tenant:acme/session:5f2b...`. The session's name never leaves the gateway; its SHA-256 stands for it.
"""

from hashlib import sha256

from edgemind.errors import ConfigurationError

SESSION_CHARS = 32
KINDS = ("tenant", "session", "operator")


def request_subject(tenant: str, session: bytes | None) -> str:
    return f"tenant:{tenant}" if session is None else f"tenant:{tenant}/{session_key(session)}"


def session_key(session: bytes) -> str:
    return f"session:{sha256(session).hexdigest()[:SESSION_CHARS]}"


def operator_subject(login: str) -> str:
    """Who ran a command on a host, by login name."""
    return f"operator:{login}"


def subject_key(given: str) -> str:
    """The key that somebody means by `tenant:NAME`, `session:NAME` (as devices send it) or `operator:LOGIN`.

    ConfigurationError for anything else.
    """
    kind, _, name = given.partition(":")
    if kind not in KINDS or not name or (kind != "session" and "/" in name):
        raise ConfigurationError(
            f"{given[:80]!r} names no subject: write tenant:NAME, operator:LOGIN, or session:VALUE with the value of "
            "the header x-edgemind-session"
        )
    return session_key(name.encode()) if kind == "session" else given


def concerns(subject: str | None, key: str) -> bool:
    """Whether a record's subject is the one of `key`, or belongs to it (a tenant's sessions)."""
    return subject is not None and key in subject.split("/")
