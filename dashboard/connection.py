"""Which fleet to show: flags, then the environment, then `.edgemind/fleet.json`. Looked up anew at every refresh.

A demo that is started, stopped or started anew while the page is open changes the file; the page follows by itself.
"""

import json
from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dashboard.trouble import FleetTrouble
from edgemind.settings import ClientSettings

DEFAULT_FLEET = Path(".edgemind/fleet.json")
"""Written by `edgemind demo`: {"url", "token", "control": {"url", "token"}}."""
_HOW = (
    "Run edgemind demo in this folder, or start the page with the flags -- --fleet URL --token-file FILE, or set "
    "EDGEMIND_FLEET_URL and EDGEMIND_FLEET_TOKEN."
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A controller's address, such as `http://127.0.0.1:8200`, and the bearer token for it."""

    url: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Flags:
    """What follows `--` on Streamlit's command line."""

    fleet: str | None = None
    token_file: Path | None = None
    people_file: Path | None = None


def read_flags(arguments: Sequence[str]) -> Flags:
    """Raises FleetTrouble for anything else than these flags: a page must not end the process as a command would."""
    parser = ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--fleet")
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--people-file", type=Path)
    try:
        given, unknown = parser.parse_known_args(arguments)
    except ArgumentError as exc:
        raise FleetTrouble("The page was started with a flag that it does not understand", f"{exc}. {_HOW}") from exc
    if unknown:
        named = " ".join(unknown)
        raise FleetTrouble("The page was started with a flag that it does not know", f"It got {named}. {_HOW}")
    return Flags(given.fleet, given.token_file, given.people_file)


def find_fleet(flags: Flags, environment: ClientSettings, default: Path = DEFAULT_FLEET) -> Connection:
    """The fleet to ask. Raises FleetTrouble if none is known or a file cannot be read."""
    url = flags.fleet or environment.fleet_url
    token = read_token(flags.token_file) if flags.token_file else None
    if token is None and environment.fleet_token is not None:
        token = environment.fleet_token.reveal()
    if url is None or token is None:
        known = _read_default(default)
        url = url or known.url
        # The token of one fleet is not for another one.
        token = token or (known.token if _same(url, known.url) else None)
    if not url:
        raise FleetTrouble("No fleet is known here yet", _HOW)
    return Connection(_checked(url), token)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise FleetTrouble(
            "The fleet's URL is not one", f"{url!r} should look like http://127.0.0.1:8200, a controller's address."
        )
    return url.rstrip("/")


def _same(url: str, other: str) -> bool:
    return url.rstrip("/") == other.rstrip("/")


def find_control(fleet_url: str, default: Path = DEFAULT_FLEET) -> Connection | None:
    """Where the demo that runs this fleet takes orders; None if this fleet is no demo of this folder."""
    try:
        document = json.loads(default.read_text(encoding="utf-8"))
        control = document["control"]
        known, found = str(document["url"]), Connection(str(control["url"]), str(control["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _same(fleet_url, known) else None


def read_token(path: Path) -> str:
    """The one line of a file. Raises FleetTrouble."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as exc:
        raise FleetTrouble("The token file cannot be read", f"{path}: {exc}. Correct --token-file.") from exc
    # It travels in a header: anything else would be refused there with an error that nobody understands.
    if not token or not token.isascii() or not token.isprintable():
        raise FleetTrouble("The token file holds no token", f"{path} should hold one line of plain text: the token.")
    return token


def _read_default(path: Path) -> Connection:
    """An empty URL if there is no such file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Connection("")
    except (OSError, ValueError) as exc:
        raise FleetTrouble("The note of the last demo cannot be read", f"{path}: {exc}. Delete it. {_HOW}") from exc
    if not isinstance(document, dict) or not isinstance(document.get("url"), str):
        raise FleetTrouble("The note of the last demo is damaged", f'{path} holds no "url". Delete it. {_HOW}')
    token = document.get("token")
    return Connection(document["url"], token if isinstance(token, str) else None)
