"""`edgemind sites invite|join|remove`: who belongs to the metro."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml

from edgemind.entrypoints.exit_codes import Refused, WrongUsage
from edgemind.entrypoints.fleet_options import FleetSession, fleet_options, open_fleet

EXIT_CODES = "Exit codes: 0 done; 1 the fleet said no, or no such thing; 2 wrong usage; 3 the fleet cannot be reached."
_DURATION = re.compile(r"([0-9]{1,7})([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
SITE_FILE_LIMIT_BYTES = 65_536


def seconds_of(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """`90s`, `30m`, `1h`, `2d`; BadParameter for anything else."""
    match = _DURATION.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is no duration; write one such as 30m, 1h or 2d")
    return int(match[1]) * _SECONDS[match[2]]


@click.command("invite", epilog=EXIT_CODES)
@click.argument("name")
@click.option("--ttl", "ttl_s", default="1h", show_default=True, callback=seconds_of, help="Until the token expires.")
@fleet_options
def invite_site(session: FleetSession, name: str, ttl_s: int) -> None:
    """Make a one-time token with which a site called NAME may join. Needs the admin role. It is shown this once."""
    _answer(session, session.client.post("sites", name, "invite", ttl_s=ttl_s), _invitation_text)


@click.command("join", epilog=EXIT_CODES)
@click.option(
    "--fleet", metavar="URL", help="A controller of the metro.  [default: $EDGEMIND_FLEET_URL, or fleet.json]"
)
@click.option("--token", required=True, help="The token that `edgemind sites invite` showed.")
@click.option(
    "--site-file",
    required=True,
    type=click.Path(path_type=Path),
    help="The site, as an entry of `sites` in edgemind.yaml.",
)
@click.option(
    "--write", "target", type=click.Path(path_type=Path), help="Write the site's edgemind.yaml there. Never over one."
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), help="Form of the answer.  [default: text]")
def join_site(fleet: str | None, token: str, site_file: Path, target: Path | None, output: str | None) -> None:
    """Make a site a member of a running metro, with a token and its declaration. The same again is answered again."""
    before = click.get_current_context().find_root().params
    if target is not None and target.exists():
        raise WrongUsage(f"--write: {target} exists; name a new file")
    declaration = _read(site_file)
    client = open_fleet(fleet or before.get("fleet"), None)
    told = client.post("join", body={"token": token, "declaration": declaration})
    text = yaml.safe_dump(told["config"], sort_keys=False, width=120)
    if target is not None:
        _write(target, text)
    if (output or before.get("output")) == "json":
        click.echo(json.dumps(told, indent=2))
        return
    place = str(target) if target is not None else "its edgemind.yaml (below)"
    click.echo(
        f"{declaration.get('name')} is a member of {told['metro']} (roster version {told['version']}: "
        f"{', '.join(told['members'])}).\n"
        f"Put the fleet's secret into fleet.secret beside {place}; it is never sent. "
        "Then start its controller and gateway."
    )
    if target is None:
        click.echo(f"\n{text}", nl=False)


@click.command("remove", epilog=EXIT_CODES)
@click.argument("name")
@fleet_options
def remove_site(session: FleetSession, name: str) -> None:
    """Take a site out of the metro's roster: no vote and no rounds from the next one on. Needs the admin role.

    A site that joined leaves the fleet, too. One that edgemind.yaml declares goes on serving requests until it is taken
    out there.
    """
    _answer(session, session.client.post("sites", name, "remove"), lambda told: _removed_text(name, told))


def _invitation_text(told: dict[str, Any]) -> str:
    until = datetime.fromtimestamp(told["expires_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"{told['token']}\n\nFor {told['site']}, once, until {until}. On its host:\n"
        "  edgemind sites join --fleet URL --token TOKEN --site-file site.yaml --write edgemind.yaml"
    )


def _removed_text(name: str, told: dict[str, Any]) -> str:
    return (
        f"{name} is no member of {told['metro']} any more (roster version {told['version']}: "
        f"{', '.join(told['members'])}). If edgemind.yaml declares it, take it out there as well."
    )


def _read(file: Path) -> dict[str, Any]:
    """WrongUsage unless it holds one mapping."""
    try:
        if file.stat().st_size > SITE_FILE_LIMIT_BYTES:
            raise WrongUsage(f"--site-file: {file} exceeds {SITE_FILE_LIMIT_BYTES} bytes; it should hold one site")
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise WrongUsage(f"--site-file: {file} cannot be read ({(exc.strerror or str(exc)).lower()})") from exc
    except (ValueError, yaml.YAMLError) as exc:
        raise WrongUsage(f"--site-file: {file} is no YAML: {exc}") from exc
    if not isinstance(document, dict):
        raise WrongUsage(f"--site-file: {file} should hold one site, as an entry of `sites` in edgemind.yaml")
    return document


def _write(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise Refused(
            f"{target} cannot be written ({(exc.strerror or str(exc)).lower()}); the site has joined: ask again"
        ) from exc


def _answer(session: FleetSession, document: dict[str, Any], text: Callable[[dict[str, Any]], str]) -> None:
    click.echo(json.dumps(document, indent=2) if session.as_json else text(document))
