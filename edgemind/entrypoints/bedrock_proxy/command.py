"""`edgemind bedrock-proxy`: the cloud tier of a fleet whose cloud is Amazon Bedrock."""

import asyncio
import ipaddress
import socket
from pathlib import Path

import click

from edgemind.bootstrap.bedrock import BedrockLink, open_bedrock
from edgemind.entrypoints.bedrock_proxy.application import ProxyRules, Served, proxy_app
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.entrypoints.gateway.listeners import parse_listen
from edgemind.entrypoints.log_setup import set_up_logging
from edgemind.entrypoints.model_server.application import Application
from edgemind.entrypoints.model_server.serving import reserve, serve
from edgemind.entrypoints.model_server.slots import Slots
from edgemind.entrypoints.model_server.tracing import traced_as
from edgemind.errors import ConfigurationError
from edgemind.ports.converse import CallFailed
from edgemind.settings import Settings, load_client_settings, load_settings, read_secret, with_telemetry_secrets

DEFAULT_FILE = Path("edgemind.yaml")
DEFAULT_LISTEN = "127.0.0.1:8500"
WAITING_PER_SLOT = 4
"""Requests that may wait behind each slot: one that would wait longer is better off elsewhere, and holds its body."""
USUAL_MS = 2000.0
"""Only used to say when to come back once all slots are taken."""


@click.command("bedrock-proxy")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The fleet's configuration, with a group `bedrock`.  [default: $EDGEMIND_CONFIG, or edgemind.yaml]",
)
@click.option("--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, show_default=True, help="Where to listen.")
def bedrock_proxy(config: Path | None, listen: str) -> None:
    """Serve models of Amazon Bedrock in OpenAI's chat API, for gateways that have it as their cloud tier.

    SIGTERM stops it: answers under way have `bedrock.drain_s` to end.

    \b
    Exit codes: 0 stopped; 2 wrong usage or configuration, no region, no credentials, or a port that is taken.
    """
    with exit_codes():
        file = config or load_client_settings().config or DEFAULT_FILE
        # It needs no secret but its own key and what telemetry asks for, so it need not be given the others.
        settings = with_telemetry_secrets(load_settings(file, resolve_secrets=False), file)
        place = settings.cloud.name if settings.cloud else "cloud"
        set_up_logging(settings.telemetry.logs, place, "bedrock-proxy")
        address = parse_listen(listen)
        link = open_bedrock(settings)
        key = _key(file, link, address.host)
        _check_credentials(link)
        sockets = reserve([(address.host, address.port)])
        app = _application(link, settings, key)
        with traced_as(app, "bedrock-proxy", place, f"bedrock in {link.region}", settings) as wrapped:
            serve(wrapped, sockets, _Ready(link, sockets[0]), link.settings.drain_s)


class _Ready:
    """Called in the loop once connections are accepted; holds what then runs beside them."""

    def __init__(self, link: BedrockLink, listener: socket.socket) -> None:
        self._link = link
        self._listener = listener
        self._sweeping: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        link = self._link
        self._sweeping = asyncio.get_running_loop().create_task(link.pools.run())
        host, port = self._listener.getsockname()[:2]
        names = ", ".join(model.name for model in link.settings.models)
        click.echo(f"bedrock-proxy: {names} on {host}:{port}, from {link.region} at {link.where}")


def _key(file: Path, link: BedrockLink, host: str) -> str | None:
    """Raises ConfigurationError if there has to be one."""
    key = link.settings.key
    if key is None and not _on_loopback(host):
        raise ConfigurationError(
            f"bedrock.key is missing, and on {host} anybody could spend your money: add key: env:NAME or file:PATH, "
            "and the same to the models of `cloud:`"
        )
    return read_secret(file, key) if key else None


def _application(link: BedrockLink, settings: Settings, key: str | None) -> Application:
    models = [
        Served(model.name, model.model_id, model.streaming, Slots(model.slots, WAITING_PER_SLOT, USUAL_MS))
        for model in link.settings.models
    ]
    return proxy_app(
        link.models, models, ProxyRules(key, settings.limits.max_body_bytes, link.settings.answer_timeout_s)
    )


def _check_credentials(link: BedrockLink) -> None:
    """Raises ConfigurationError: a proxy that can sign nothing had better not come up."""
    try:
        asyncio.run(link.models.available())
    except CallFailed as exc:
        raise ConfigurationError(exc.for_operators) from exc


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
