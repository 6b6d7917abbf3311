"""`edgemind certs create|renew|list|check`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from edgemind import bootstrap
from edgemind.adapters.clock import SystemClock
from edgemind.domain.certificates import EXPIRY_WARNING_DAYS, Certificate, Standing
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import Refused, exit_codes
from edgemind.entrypoints.text_tables import text_table
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings, load_settings

SITE_DAYS = 365
AUTHORITY_DAYS = 3650
RENEW_WITHIN_DAYS = 30

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The fleet's configuration, which says what the sites are.  "
    "[default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder]",
)
folder_option = click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("certs"), show_default=True,
    help="Where the certificates and their keys are. ca.key stays there: sites do not need it.",
)  # fmt: skip
days_option = click.option(
    "--days", type=click.IntRange(1, 3650), default=SITE_DAYS, show_default=True, help="How long a site's is good."
)
output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)


@click.group()
def certs() -> None:
    """Make, renew, list and check the certificates of controllers: TLS between sites.

    Exit codes: 0 done; 1 refused, or a certificate ends soon; 2 wrong usage or configuration.
    """


@certs.command()
@config_option
@folder_option
@days_option
@output_option
def create(config: Path | None, folder: Path, days: int, output: str) -> None:
    """Make what is missing: the fleet's authority, and a certificate for each site that has a controller.

    Exit codes: 0 made, or nothing was missing; 1 they cannot be written; 2 wrong usage or configuration.
    """
    with exit_codes():
        settings, now_s = _settings(config), _now_s()
        certificates = bootstrap.certificate_folder(folder, settings.metro)
        authority = certificates.create_authority(AUTHORITY_DAYS, now_s)
        if authority and output == "text":
            click.echo(f"made {folder / 'ca.pem'} and {folder / 'ca.key'}: keep the key away from the sites")
        made: list[dict[str, Any]] = []
        for site, host in _sites(settings):
            if not certificates.has(site):
                made.append(_tell(folder, site, certificates.issue(site, host, days, now_s), output))
            elif output == "text":
                click.echo(f"{folder / site}.pem is there already: edgemind certs renew {site} makes a new one")
        if output == "json":
            click.echo(json.dumps({"authority": authority, "made": made}))


@certs.command()
@config_option
@folder_option
@days_option
@output_option
@click.argument("sites", nargs=-1)
def renew(config: Path | None, folder: Path, days: int, sites: tuple[str, ...], output: str) -> None:
    """Make new certificates for SITES, or for all that end within 30 days. The authority stays.

    Processes take a new file up within seconds; the old certificate stays good until it ends.

    Exit codes: 0 done; 1 they cannot be written; 2 wrong usage or configuration.
    """
    with exit_codes():
        settings, now_s = _settings(config), _now_s()
        certificates = bootstrap.certificate_folder(folder, settings.metro)
        known = dict(_sites(settings))
        for unknown in (site for site in sites if site not in known):
            raise ConfigurationError(f"no site with a controller is called {unknown!r}; there are {', '.join(known)}")
        due = sites or [
            site
            for site in known
            if certificates.has(site) and certificates.read(site).days_left(now_s) < RENEW_WITHIN_DAYS
        ]
        if not due and output == "text":
            click.echo(f"none ends within {RENEW_WITHIN_DAYS} days; name the sites to renew them all the same")
        made = [_tell(folder, site, certificates.issue(site, known[site], days, now_s), output) for site in due]
        if output == "json":
            click.echo(json.dumps({"made": made}))


@certs.command("list")
@config_option
@folder_option
@output_option
def list_certificates(config: Path | None, folder: Path, output: str) -> None:
    """Show what is in the folder, and when each ends.

    Exit codes: 0 done; 2 wrong usage or configuration.
    """
    with exit_codes():
        now_s = _now_s()
        found = list(bootstrap.certificate_folder(folder, _settings(config).metro).list())
    rows = [_row(name, certificate, now_s) for name, certificate in found]
    if output == "json":
        click.echo(json.dumps(rows))
    else:
        shown = [[row["name"], row["hosts"], row["ends"], row["standing"]] for row in rows]
        click.echo(text_table(["NAME", "GOOD FOR", "ENDS", "STANDING"], shown) if rows else f"{folder} holds none")


@certs.command()
@config_option
@click.option("--site", help="The site whose controller or gateway would use it.", required=True)
@output_option
def check(config: Path | None, site: str, output: str) -> None:
    """Connect to oneself with the certificate of `fleet.tls`, as a neighbour would to this site's controller.

    Exit codes: 0 good for 14 days and more; 1 it ends sooner; 2 it cannot be used, or wrong usage or configuration.
    """
    with exit_codes():
        settings = _settings(config)
        tls = bootstrap.fleet_tls(settings, site)
        if tls is None:
            raise ConfigurationError("the configuration has no fleet.tls, so controllers show no certificates")
    left = tls.certificate.days_left(_now_s())
    line = f"{tls.files.certificate} is {site}'s and good for {left:.0f} days"
    if output == "json":
        told = {"site": site, "certificate": str(tls.files.certificate), "days_left": round(left, 1)}
        click.echo(json.dumps({**told, "ok": left >= EXPIRY_WARNING_DAYS}))
    if left < EXPIRY_WARNING_DAYS:
        raise Refused(f"{line} only: edgemind certs renew {site}")
    if output == "text":
        click.echo(line)


def _settings(config: Path | None) -> Settings:
    # Certificates are made where the authority's key is, and no other secret.
    return load_settings(configuration_file(config), resolve_secrets=False)


def _sites(settings: Settings) -> Iterator[tuple[str, str]]:
    """Site and host of each controller."""
    for site in settings.sites:
        if site.controller is not None:
            yield site.name, urlsplit(site.controller).hostname or ""


def _now_s() -> float:
    return SystemClock().wall_ms() / 1000.0


def _tell(folder: Path, site: str, made: Certificate, output: str) -> dict[str, Any]:
    if output == "text":
        click.echo(f"made {folder / site}.pem and .key for {', '.join(made.hosts)}, good until {_day(made)}")
    return {"site": site, "certificate": str(folder / f"{site}.pem"), "hosts": list(made.hosts), "ends": _day(made)}


def _day(certificate: Certificate) -> str:
    return datetime.fromtimestamp(certificate.not_after_s, UTC).strftime("%Y-%m-%d")


def _row(name: str, certificate: Certificate | str, now_s: float) -> dict[str, Any]:
    if isinstance(certificate, str):
        return {"name": name, "hosts": None, "ends": None, "standing": certificate}
    standing: Standing = certificate.standing(now_s)
    return {
        "name": name, "hosts": ", ".join(certificate.hosts), "ends": _day(certificate), "standing": standing.value,
    }  # fmt: skip
