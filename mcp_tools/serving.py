"""Puts one server together with a fleet over HTTP, and serves it over one transport."""

import socket
from concurrent.futures import ThreadPoolExecutor

from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.access import Role
from edgemind.entrypoints.controller.process import access_rules
from edgemind.entrypoints.fleet_client import FleetClient
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings
from mcp_tools.calls import Session, one_caller
from mcp_tools.catalogue import SERVERS
from mcp_tools.chat import GatewayChat
from mcp_tools.http_server import guarded_app, sender, serve
from mcp_tools.over_http import THREADS, FleetOverHttp

STDIO_CURE = "start it with --allow-writes, and with the operator's token of the fleet"
HTTP_CURE = "send the operator's token of the fleet"


async def over_stdio(
    name: str, client: FleetClient, allow_writes: bool, thresholds: Thresholds | None, key: str | None
) -> None:
    """Until the client closes its side."""
    with ThreadPoolExecutor(THREADS, "fleet") as threads:
        fleet = FleetOverHttp(client, threads, thresholds)
        role = Role.OPERATOR if allow_writes else Role.VIEWER
        session = Session(role, fleet, GatewayChat(key), STDIO_CURE)
        await SERVERS[name].build(one_caller(session)).run_stdio_async()


async def over_http(
    name: str, settings: Settings, fleet_url: str, key: str | None, host: str, listener: socket.socket
) -> None:
    """Until SIGTERM or SIGINT. ConfigurationError if the fleet has no tokens: then nobody could be told apart."""
    tokens = settings.access.tokens
    if not (tokens.viewer or tokens.operator or tokens.admin):
        raise ConfigurationError("streamable-http needs tokens: set fleet.tokens in edgemind.yaml, or serve over stdio")
    chat = GatewayChat(key)
    with ThreadPoolExecutor(THREADS, "fleet") as threads:

        def session(role: Role, token: str) -> Session:
            fleet = FleetOverHttp(FleetClient(fleet_url, token), threads, settings.thresholds)
            return Session(role, fleet, chat, HTTP_CURE)

        app = guarded_app(SERVERS[name].build(sender), access_rules(settings), session, host)
        await serve(app, listener)
