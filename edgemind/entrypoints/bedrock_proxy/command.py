"""`edgemind bedrock-proxy`: the cloud tier of a fleet whose cloud is Amazon Bedrock."""

import asyncio
import ipaddress
import logging
from pathlib import Path

import click

from edgemind.bootstrap.bedrock import BedrockLink, open_bedrock
from edgemind.entrypoints.bedrock_proxy.application import ProxyRules, Served, proxy_app
from edgemind.entrypoints.controller.command import parse_listen
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.entrypoints.model_server.serving import reserve, serve
from edgemind.entrypoints.model_server.slots import Slots
from edgemind.errors import ConfigurationError
from edgemind.ports.converse import CallFailed
from edgemind.settings import load_client_settings, load_settings

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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with exit_codes():
        settings = load_settings(config or load_client_settings().config or DEFAULT_FILE)
        address = parse_listen(listen)
        link = open_bedrock(settings)
        bedrock = link.settings
        key = bedrock.key.reveal() if bedrock.key else None
        if key is None and not _on_loopback(address.host):
            raise ConfigurationError(
                f"bedrock.key is missing, and on {address.host} anybody could spend your money: add key: env:NAME or "
                "file:PATH, and the same to the models of `cloud:`"
            )
        _check_credentials(link)
        models = [
            Served(model.name, model.model_id, model.streaming, Slots(model.slots, WAITING_PER_SLOT, USUAL_MS))
            for model in bedrock.models
        ]
        rules = ProxyRules(key, settings.limits.max_body_bytes, bedrock.answer_timeout_s)
        sockets = reserve([(address.host, address.port)])
        sweeping: list[asyncio.Task[None]] = []

        def on_ready() -> None:
            sweeping.append(asyncio.get_running_loop().create_task(link.pools.run()))
            port = sockets[0].getsockname()[1]
            names = ", ".join(model.name for model in models)
            click.echo(f"bedrock-proxy: {names} on {address.host}:{port}, from {link.region} at {link.where}")

        serve(proxy_app(link.models, models, rules), sockets, on_ready, bedrock.drain_s)


def _check_credentials(link: BedrockLink) -> None:
    """Raises ConfigurationError: a proxy that can sign nothing had better not come up."""
    try:
        asyncio.run(link.models.available())
    except CallFailed as exc:
        raise ConfigurationError(str(exc)) from exc


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
