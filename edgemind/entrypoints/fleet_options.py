"""How a command finds its fleet: flags, then the environment, then `.edgemind/fleet.json` of this folder."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgemind.entrypoints.exit_codes import WrongUsage

if TYPE_CHECKING:
    from edgemind.entrypoints.fleet_client import FleetClient

DEFAULT_FLEET = Path(".edgemind/fleet.json")
"""Written by `edgemind demo`: {"url", "token"}. What a kubeconfig is to kubectl."""


@dataclass(frozen=True)
class FleetSession:
    """A fleet to ask and the form to answer in. The fleet is looked up when it is first asked: some commands need none.

    Asking raises WrongUsage if no fleet is known.
    """

    find: Callable[[], "FleetClient"]
    as_json: bool

    @functools.cached_property
    def client(self) -> "FleetClient":
        return self.find()

    def of(self, url: str) -> "FleetClient":
        """Another controller of the same fleet, asked with the same token."""
        return self.client.at(url)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    output = click.Choice(["text", "json"])
    for option in (
        click.option("-o", "--output", type=output, help="Form of the answer.  [default: text]"),
        click.option("--token", help="Bearer token.  [default: $EDGEMIND_FLEET_TOKEN, or fleet.json]"),
        click.option("--fleet", metavar="URL", help="A controller.  [default: $EDGEMIND_FLEET_URL, or fleet.json]"),
    ):
        command = option(command)
    return command


def root_fleet_options(command: Callable[[], None]) -> Callable[..., Any]:
    """The fleet's flags before the command (`edgemind -o json sites list`): kept in the context for `fleet_options`."""

    @_options
    @functools.wraps(command)
    def with_flags(**_: str | None) -> None:
        command()

    return with_flags


def fleet_options(command: Callable[..., None]) -> Callable[..., Any]:
    """The fleet's flags after the command. They reach it as its first argument, a FleetSession."""

    @_options
    @click.pass_context
    @functools.wraps(command)
    def with_session(
        ctx: click.Context, /, *, fleet: str | None, token: str | None, output: str | None, **given: Any
    ) -> None:
        before = ctx.find_root().params
        as_json = (output or before.get("output")) == "json"
        find = functools.partial(open_fleet, fleet or before.get("fleet"), token or before.get("token"))
        command(FleetSession(find, as_json), **given)

    return with_session


def open_fleet(url: str | None, token: str | None) -> "FleetClient":
    """The client for a fleet. Raises WrongUsage if none is known."""
    from edgemind.entrypoints.fleet_client import FleetClient

    if url is None or token is None:
        from edgemind.settings import load_client_settings

        environment = load_client_settings()
        url = url or environment.fleet_url
        token = token or (environment.fleet_token.reveal() if environment.fleet_token else None)
    if url is None or token is None:
        default_url, default_token = _read_default(DEFAULT_FLEET)
        url = url or default_url
        # The token of one fleet is not for another one.
        token = token or (default_token if url == default_url else None)
    if url is None:
        raise WrongUsage(
            "no fleet is known here: pass --fleet URL, set EDGEMIND_FLEET_URL, or run `edgemind demo` in this folder"
        )
    return FleetClient(url, token)


def _read_default(path: Path) -> tuple[str | None, str | None]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError) as exc:
        raise WrongUsage(f"{path} cannot be read ({exc}): delete it, or pass --fleet URL and --token") from exc
    if not isinstance(document, dict) or not isinstance(document.get("url"), str):
        raise WrongUsage(f'{path} should hold {{"url": ..., "token": ...}}: delete it, or pass --fleet URL and --token')
    token = document.get("token")
    return document["url"].rstrip("/"), token if isinstance(token, str) else None
