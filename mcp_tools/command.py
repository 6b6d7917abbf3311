"""`edgemind mcp SERVER`: one server over stdio for the program that started it, or over HTTP for others."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgemind.entrypoints.fleet_options import open_fleet
from edgemind.errors import ConfigurationError, PermanentError

if TYPE_CHECKING:
    from edgemind.entrypoints.fleet_client import FleetClient
    from edgemind.settings import Settings

NAMES = ("metrics_monitor", "container_ops", "telemetry", "inference", "memory_sync")
"""Those of `catalogue.py`, which takes most of a second to import."""
DEFAULT_FILE = Path("edgemind.yaml")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("server", type=click.Choice(NAMES), metavar="SERVER")
@click.option("--transport", type=click.Choice(["stdio", "streamable-http"]), default="stdio", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where streamable-http listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="0: one that is free.")
@click.option("--fleet", metavar="URL", help="A controller.  [default: $EDGEMIND_FLEET_URL, or fleet.json]")
@click.option("--token", help="Over stdio, the fleet's token.  [default: $EDGEMIND_FLEET_TOKEN, or fleet.json]")
@click.option(
    "--allow-writes", is_flag=True, help="Over stdio: tools may change the fleet, if the token is operator's."
)
@click.option(
    "--config",
    type=FILE,
    help="The fleet's configuration: its tokens, for streamable-http, and its thresholds.  "
    "[default for streamable-http: $EDGEMIND_CONFIG, or edgemind.yaml]",
)
@click.option("--key-file", type=FILE, help="File with an API key, for run_inference.")
@click.pass_context
def mcp(
    ctx: click.Context, /, server: str, transport: str, host: str, port: int, allow_writes: bool, config: Path | None,
    key_file: Path | None, **fleet: str | None,
) -> None:  # fmt: skip
    """Serve tools over the fleet to an MCP client.

    SERVER is metrics_monitor, container_ops, telemetry, inference or memory_sync. Over stdio it only reads unless
    --allow-writes is given. Over streamable-http (path /mcp) each caller sends a bearer token of the fleet, whose role
    decides.

    \b
    Exit codes: 0 the client has gone, or SIGTERM; 1 it cannot listen; 2 wrong usage or configuration.
    """
    # Over stdio, stdout is the client's: whatever is logged goes to stderr.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    key = _key(key_file)
    # As with every command, `edgemind --fleet URL mcp SERVER` is fine, too.
    url, token = (fleet[name] or ctx.find_root().params.get(name) for name in ("fleet", "token"))
    if transport == "stdio":
        # Its thresholds are all that is asked of the configuration.
        settings = _settings(config, resolve_secrets=False) if config else None
        _over_stdio(server, open_fleet(url, token), allow_writes, settings, key)
        return
    _refuse_stdio_flags(token, allow_writes)
    from edgemind.entrypoints.gateway.listeners import Address, bind
    from edgemind.settings import load_client_settings

    settings = _settings(config or load_client_settings().config or DEFAULT_FILE, resolve_secrets=True)
    with bind(Address(host, port), f"mcp {server}") as listener:
        bound = Address(host, listener.getsockname()[1])
        click.echo(f"mcp {server} listens on http://{bound}/mcp", err=True)
        from mcp_tools.serving import over_http

        asyncio.run(over_http(server, settings, open_fleet(url, None).url, key, host, listener))


def _over_stdio(
    server: str, client: "FleetClient", allow_writes: bool, settings: "Settings | None", key: str | None
) -> None:
    # Imported late, as over HTTP: what is wrong with the flags is told at once.
    from mcp_tools.serving import over_stdio

    asyncio.run(over_stdio(server, client, allow_writes, settings.thresholds if settings else None, key))


def _settings(file: Path, *, resolve_secrets: bool) -> "Settings":
    from edgemind.settings import load_settings

    return load_settings(file, resolve_secrets=resolve_secrets)


def _refuse_stdio_flags(token: str | None, allow_writes: bool) -> None:
    if token is not None or allow_writes:
        raise ConfigurationError(
            "--token and --allow-writes are for stdio: over streamable-http each caller sends a token of its own, and "
            "its role decides"
        )


def _key(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as exc:
        raise PermanentError(f"--key-file {file} cannot be read ({exc}); `edgemind keys create` makes one") from exc
