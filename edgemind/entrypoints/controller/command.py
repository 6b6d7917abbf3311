"""`edgemind controller`: flags and configuration in, a listening socket, then the process."""

import logging
import signal
from pathlib import Path
from urllib.parse import urlsplit

import click

from edgemind.domain.fleet import Site
from edgemind.entrypoints.controller.voters import TOOLS, VoterKind, controller_runner
from edgemind.entrypoints.gateway.listeners import Address, bind, parse_listen
from edgemind.entrypoints.log_setup import set_up_logging
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings, load_client_settings, load_settings

log = logging.getLogger("edgemind.controller")
DEFAULT_FILE = Path("edgemind.yaml")


@click.command()
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The fleet's configuration.  [default: $EDGEMIND_CONFIG, or edgemind.yaml]",
)
@click.option("--site", help="The site this controller belongs to. May be left out if there is only one.")
@click.option("--listen", metavar="HOST:PORT", help="Listen here instead of at the site's `controller` address.")
@click.option(
    "--voter",
    type=click.Choice([kind.value for kind in VoterKind]),
    default=VoterKind.LIBRARY.value,
    show_default=True,
    help="Who ranks for the site in rounds. auto: a Strands agent, if its packages are installed.",
)
@click.option("--tools", metavar="MODULE:FUNCTION", default=TOOLS, show_default=True, help="The agent's MCP servers.")
def controller(config: Path | None, site: str | None, listen: str | None, voter: str, tools: str) -> None:
    """Run a site's controller: beacons, routing table, fleet API.

    SIGTERM stops it; SIGHUP reloads the configuration (a changed file is noticed by itself).

    \b
    Exit codes: 0 stopped; 1 it cannot listen; 2 wrong usage or configuration.
    """
    # A poke to reload that comes before the process listens for it must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    file = config or load_client_settings().config or DEFAULT_FILE
    settings = load_settings(file)
    own = settings.site(site) if site else _only_site(settings)
    set_up_logging(settings.telemetry.logs, own.name, "controller")
    tls = settings.access.tls is not None
    address = listen_address(own, listen, tls)
    with bind(address, f"controller {own.name}") as listener:
        # Imported late: a wrong flag or a taken port is told at once.
        run_controller = controller_runner(VoterKind(voter), tools)
        bound = Address(address.host, listener.getsockname()[1])
        scheme = "https" if tls and (own.controller_url or "").startswith("https:") else "http"
        click.echo(f"controller {own.name} listens on {scheme}://{bound}", err=True)
        if tls and scheme == "http":
            log.warning("fleet.tls is set, and %s is told in plain text: declare it at https://", own.name)
        run_controller(file, settings, own.name, listener)


def listen_address(site: Site, listen: str | None, tls: bool = False) -> Address:
    """Where to listen: the flag, else what the site declares. Raises ConfigurationError."""
    if listen is not None:
        return parse_listen(listen)
    if site.controller_url is None:
        raise ConfigurationError(
            f"site {site.name!r} declares no 'controller:' address; add one to the configuration or pass --listen"
        )
    parts = urlsplit(site.controller_url)
    if parts.scheme != "http" and not tls:
        raise ConfigurationError(
            f"the controller of {site.name} is declared at {site.controller_url}, but this process speaks plain HTTP: "
            "give it certificates with fleet.tls, or put TLS in front of it and pass --listen HOST:PORT"
        )
    return Address(parts.hostname or "127.0.0.1", parts.port or {"https": 443}.get(parts.scheme, 80))


def _only_site(settings: Settings) -> Site:
    sites = settings.fleet().sites
    if len(sites) > 1:
        names = ", ".join(site.name for site in sites)
        raise ConfigurationError(f"the configuration declares several sites; choose one with --site: {names}")
    return sites[0]
