"""`edgemind gateway`: serve one site's devices."""

import socket
from pathlib import Path

import click

from edgemind.domain.fleet import Site
from edgemind.entrypoints.gateway.listeners import Address, admin_address, bind, data_address
from edgemind.entrypoints.gateway.supervisor import Supervisor
from edgemind.entrypoints.log_setup import set_up_logging
from edgemind.errors import ConfigurationError
from edgemind.services.sync_gateway import WorkerIdentity
from edgemind.settings import Settings, load_settings

MAX_WORKERS = 64
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--config", type=FILE, default=Path("edgemind.yaml"), show_default=True, help="The fleet's configuration."
)
@click.option("--site", help="Which of its sites this is. May be left out if there is only one.")
@click.option("--workers", type=click.IntRange(1, MAX_WORKERS), default=1, show_default=True, help="One per core.")
@click.option("--host", help="Listen on this address instead of the configured one.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port instead of the configured one.")
@click.option("--admin-host", help="The same for its admin listeners.")
@click.option("--tls-cert", type=FILE, help="Certificate chain (PEM): serve TLS 1.3.")
@click.option("--tls-key", type=FILE, help="Its private key (PEM).")
@click.option(
    "--advertise-host",
    help="Tell the controller to reach this gateway's admin listeners here: for each of several gateways of one site.",
)
@click.option("--worker", type=int, hidden=True, help="Run as this worker of a supervisor.")
@click.option("--inherit", hidden=True, help="Numbers of the inherited data and admin sockets.")
def gateway(  # noqa: PLR0913, PLR0917 - click passes each option as an argument
    config: Path,
    site: str | None,
    workers: int,
    host: str | None,
    port: int | None,
    admin_host: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    advertise_host: str | None,
    worker: int | None,
    inherit: str | None,
) -> None:
    """Serve the devices of one site: an OpenAI-compatible API that answers here, at a neighbour or in the cloud.

    SIGTERM drains and stops; SIGHUP reloads the configuration (a changed file is noticed by itself).
    """
    settings = load_settings(config)
    own = settings.site(site) if site else _only_site(settings)
    set_up_logging(settings.telemetry.logs, own.name, "gateway")
    tls = _tls(tls_cert, tls_key)
    if worker is not None and inherit is not None:
        data, admin = _inherited(inherit)
        _run(
            config,
            settings,
            WorkerIdentity(own.name, worker, workers, _reached(advertise_host, admin)),
            tls,
            data,
            admin,
        )
        return
    wanted = data_address(own, host, port)
    data = bind(wanted, f"gateway {own.name}")
    address = Address(wanted.host, data.getsockname()[1])
    admin_places = [admin_address(own, wanted, k, admin_host) for k in range(workers)]
    admins = [bind(place, f"admin listener {k} of {own.name}") for k, place in enumerate(admin_places)]
    scheme = "https" if tls else "http"
    admin_ports = ", ".join(str(admin.getsockname()[1]) for admin in admins)
    click.echo(f"gateway {own.name} listens on {scheme}://{address} (admin on port {admin_ports})", err=True)
    if workers == 1:
        _run(
            config, settings, WorkerIdentity(own.name, 0, 1, _reached(advertise_host, admins[0])), tls, data, admins[0]
        )
        return
    flags = ["gateway", "--config", str(config), "--site", own.name, "--workers", str(workers)]
    flags += ["--advertise-host", advertise_host] if advertise_host else []
    flags += ["--tls-cert", str(tls[0]), "--tls-key", str(tls[1])] if tls else []
    raise SystemExit(Supervisor(data, admins, lambda k: [*flags, "--worker", str(k)]).run())


def _run(
    config: Path,
    settings: Settings,
    identity: WorkerIdentity,
    tls: tuple[Path, Path] | None,
    data: socket.socket,
    admin: socket.socket,
) -> None:
    # Imported late: the supervisor of several workers needs none of it.
    from edgemind.entrypoints.gateway.worker import WorkerPlan, run_worker

    run_worker(WorkerPlan(config, identity, tls), settings, data, admin)


def _only_site(settings: Settings) -> Site:
    sites = settings.fleet().sites
    if len(sites) > 1:
        names = ", ".join(site.name for site in sites)
        raise ConfigurationError(f"the configuration declares several sites; choose one with --site: {names}")
    return sites[0]


def _tls(cert: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise ConfigurationError("--tls-cert and --tls-key go together: pass both or neither")
    return cert, key


def _reached(host: str | None, admin: socket.socket) -> str | None:
    """Where the controller reaches this worker; None: where the configuration says."""
    return f"http://{Address(host, admin.getsockname()[1])}" if host else None


def _inherited(numbers: str) -> tuple[socket.socket, socket.socket]:
    data, admin = (socket.socket(fileno=int(number)) for number in numbers.split(","))
    return data, admin
