"""Who may ask the fleet API for what: bearer tokens with roles, the site token, and loopback without any token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from edgemind.domain.site_tokens import SiteTokens
from edgemind.entrypoints.controller.answers import ApiRefusal


class Role(IntEnum):
    """Each role may do what the ones before it may."""

    VIEWER = 1
    ADVISOR = 2
    """Reads, and proposes changes of policy: what an advisor with a language model in it gets, and nothing more."""
    OPERATOR = 3
    ADMIN = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `site` marks another controller of the fleet: it gets answers about this site only."""

    role: Role
    site: bool = False
    name: str = field(default="", compare=False)
    """By what it was known: `fleet.tokens.admin`, never the token itself."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request shows of its sender. `forwarded` tells that a proxy passed it on: its origin is unknown then."""

    authorization: str | None
    site_token: str | None
    client_host: str | None
    host_header: str | None
    forwarded: bool = False


class AccessRules:
    """`tokens` by role, and the token that sites share, with those it had or will have. All comparisons take the same
    time whatever is sent."""

    def __init__(self, tokens: Mapping[Role, str], site_token: str | None, previous: Sequence[str] = ()) -> None:
        self._tokens = sorted(((role, token.encode()) for role, token in tokens.items()), reverse=True)
        self._site_tokens = SiteTokens(site_token, previous)

    def is_site(self, token: str | None) -> bool:
        """Whether this is the fleet's site token. Without a secret nobody is a site."""
        return token is not None and self._site_tokens.accept(token.encode("utf-8", "replace"))

    def caller(self, credentials: Credentials) -> Caller:
        """Who this is. Raises ApiRefusal (401) for anybody unknown."""
        if self.is_site(credentials.site_token):
            return Caller(Role.OPERATOR, site=True, name="another controller of the fleet")
        if credentials.authorization is not None:
            return self._bearer(credentials.authorization)
        if not self._tokens and _plainly_local(credentials):
            return Caller(Role.VIEWER, name="this machine")
        raise _unauthorized("missing_token", self._who_may())

    def allowed(self, credentials: Credentials, least: Role) -> Caller:
        """The caller, if it has at least this role. Raises ApiRefusal (401 or 403)."""
        caller = self.caller(credentials)
        if caller.role < least:
            wanted, has = least.name.lower(), caller.role.name.lower()
            first = "" if self._tokens else f"set fleet.tokens.{wanted} in edgemind.yaml and "
            message = f"this needs the {wanted} role and you are {has}: {first}send the {wanted} token"
            raise ApiRefusal(403, "permission_error", "role_too_low", message, "authorization")
        return caller

    def _bearer(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        sent = token.strip().encode("utf-8", "replace")
        # Every token is compared, so that the time taken does not tell which one was nearly right.
        matches = [role for role, known in self._tokens if compare_digest(sent, known)]
        if scheme.lower() != "bearer" or not matches:
            raise _unauthorized("invalid_token", f"this is not a token of the fleet. {self._who_may()}")
        return Caller(matches[0], name=f"fleet.tokens.{matches[0].name.lower()}")

    def _who_may(self) -> str:
        if self._tokens:
            return "Send `Authorization: Bearer TOKEN` with one of the tokens under fleet.tokens in edgemind.yaml."
        return (
            "No tokens are configured, so the fleet API answers only callers on its own machine, and only reads: "
            "set fleet.tokens in edgemind.yaml to open it."
        )


def _unauthorized(code: str, message: str) -> ApiRefusal:
    return ApiRefusal(401, "authentication_error", code, message, "authorization")


def _plainly_local(credentials: Credentials) -> bool:
    """Sent on this machine, to this machine by name, by no proxy.

    The name is checked because a web page may resolve its own name to 127.0.0.1 and have the browser ask from here.
    """
    named = urlsplit(f"//{credentials.host_header or ''}").hostname
    return (
        not credentials.forwarded
        and _is_loopback(credentials.client_host)
        and (named == "localhost" or _is_loopback(named))
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False
