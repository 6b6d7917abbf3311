"""The command line's way to a fleet API: one request at a time, standard library only, so that commands start fast."""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import click

from edgemind.entrypoints.exit_codes import Refused, WrongUsage

TIMEOUT_S = 10.0
"""Of a call that does not name its own."""
ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
"""A fleet of a thousand sites tells of itself in 2 MiB: what is longer comes from somebody else."""


class FleetUnreachable(Refused):
    """Nobody answers there, or not as a fleet API."""

    exit_code = 3


class FleetClient:
    """`url` is a controller's address, such as `http://127.0.0.1:8200`. Redirects and proxies are not followed.

    Every method raises FleetUnreachable, or Refused with what the fleet said.
    """

    def __init__(self, url: str, token: str | None) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise WrongUsage(f"the fleet's URL {url!r} is not one: {exc}") from exc
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise WrongUsage(f"the fleet's URL {url!r} should look like http://127.0.0.1:8200")
        self.url = url.rstrip("/")
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port, self._prefix = parts.hostname, port, parts.path.rstrip("/")
        self._token = token
        self._headers = {"accept": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    def at(self, url: str) -> "FleetClient":
        """Another address, asked with the same token."""
        return FleetClient(url, self._token)

    def get(self, *segments: str, **query: str | int | None) -> dict[str, Any]:
        """GET /edgemind/v1/<segments>; parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", segments, f"?{urlencode(given)}" if given else "")

    def post(self, *segments: str, body: object = None, timeout_s: float = TIMEOUT_S, **query: int) -> dict[str, Any]:
        """POST it, with a body as JSON if there is one."""
        return self._ask("POST", segments, f"?{urlencode(query)}" if query else "", body, timeout_s)

    def _ask(
        self, method: str, segments: tuple[str, ...], query: str, body: object = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        path = "/".join([self._prefix, "edgemind", "v1", *(quote(segment, safe="") for segment in segments)]) + query
        connection = self._connect(self._host, self._port, timeout=timeout_s)
        try:
            content = {"content-type": "application/json"} if body is not None else {}
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {**self._headers, **content})
            response = connection.getresponse()
            status, answer = response.status, response.read(ANSWER_LIMIT_BYTES + 1)
        except (OSError, HTTPException) as exc:
            raise FleetUnreachable(
                f"the fleet at {self.url} cannot be reached ({_reason(exc, timeout_s)}). Is its controller running? "
                "--fleet URL or EDGEMIND_FLEET_URL names another one."
            ) from exc
        finally:
            connection.close()
        if len(answer) > ANSWER_LIMIT_BYTES:
            raise FleetUnreachable(
                f"what is at {self.url} answers with more than {ANSWER_LIMIT_BYTES} bytes; is it a fleet API?"
            )
        document = _document(answer)
        if status >= 400:
            raise Refused(_refusal(status, document, self.url))
        if document is None:
            raise FleetUnreachable(f"what answers at {self.url} is not a fleet API (status {status})")
        return document


def _reason(exc: Exception, timeout_s: float) -> str:
    if isinstance(exc, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    return (getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).lower()


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refusal(status: int, document: dict[str, Any] | None, url: str) -> str:
    error = (document or {}).get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return click.unstyle(error["message"])
    return f"{url} answered {status} without saying why; is it a fleet API?"
