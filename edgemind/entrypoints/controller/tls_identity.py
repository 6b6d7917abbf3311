"""Who is at the other end of a TLS connection, for the routes to see."""

import asyncio
import ssl

import uvicorn
from starlette.requests import HTTPConnection
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from edgemind.domain.certificates import names_of

IDENTITIES = "identities"
Identities = tuple[str, ...]


class IdentifyingProtocol(HttpToolsProtocol):
    """uvicorn's protocol; puts the names of the other side's verified certificate into the state of each request."""

    _identities: Identities = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._identities = names_of(transport.get_extra_info("peercert"), "URI")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][IDENTITIES] = self._identities


def listen_with(config: uvicorn.Config, context: ssl.SSLContext) -> None:
    """Serve TLS with this very context: what is loaded into it later holds for later connections."""
    config.load()
    config.ssl = context
    config.http_protocol_class = IdentifyingProtocol


def identities(connection: HTTPConnection) -> Identities | None:
    """The proven names, () without a certificate; None where this process does not serve TLS itself."""
    found: Identities | None = connection.scope.get("state", {}).get(IDENTITIES)
    return found
