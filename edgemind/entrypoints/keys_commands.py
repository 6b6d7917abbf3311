"""`edgemind keys create|list|revoke`."""

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edgemind.adapters.clock import SystemClock
from edgemind.bootstrap import open_state_store
from edgemind.domain.keys import ApiKey
from edgemind.entrypoints.command_audit import record_command
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.errors import ConfigurationError
from edgemind.services.manage_keys import ManageKeys
from edgemind.settings import Settings, Store, load_settings

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The fleet's configuration, which says where keys are kept and who the tenants are. "
    "Default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder.",
)
output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)


@click.group()
def keys() -> None:
    """Create, list and revoke the API keys of tenants.

    Only a hash of each key is stored. Gateways follow within 2 seconds.

    Exit codes: 0 done; 1 refused, or not possible just now; 2 wrong usage or configuration.
    """


@keys.command()
@config_option
@click.option("--tenant", required=True, help="Whose key it is; one of the tenants in the configuration.")
@output_option
def create(config: Path | None, tenant: str, output: str) -> None:
    """Make a key for a tenant and print it: this once, it cannot be shown again.

    A tenant has at most two live keys. To change one: create the second, deploy it, revoke the first.

    Exit codes: 0 created; 1 the tenant has two live keys, or the state cannot be written; 2 unknown tenant, wrong usage
    or configuration.
    """
    with exit_codes():
        settings = _settings(config)
        issued = _manage_keys(settings).create(tenant)
        record_command(settings, {"action": "keys create", "tenant": tenant, "key": issued.stored.key_id})
    if output == "json":
        click.echo(json.dumps({**_shown(issued.stored), "key": issued.secret}))
        return
    click.echo(issued.secret)
    # On stderr, so that KEY=$(edgemind keys create ...) holds the key and nothing else.
    click.echo(
        f"This is key {issued.stored.key_id} of tenant {tenant}. It is shown only now: store it safely.", err=True
    )


@keys.command("list")
@config_option
@output_option
def list_keys(config: Path | None, output: str) -> None:
    """Show every key's id, tenant, age and state; never the key.

    Exit codes: 0 done; 1 the state cannot be read; 2 wrong usage or configuration.
    """
    with exit_codes():
        stored = _manage_keys(_settings(config)).list()
    if output == "json":
        click.echo(json.dumps([_shown(key) for key in stored]))
    else:
        click.echo(_table(stored) if stored else "There are no keys. Make one with: edgemind keys create --tenant NAME")


@keys.command()
@config_option
@click.argument("key_id")
@output_option
def revoke(config: Path | None, key_id: str, output: str) -> None:
    """Take a key out of force, for good. KEY_ID is its id, or the whole key.

    Exit codes: 0 revoked, or it was already; 1 no such key, or the state cannot be written; 2 wrong usage or
    configuration.
    """
    with exit_codes():
        settings = _settings(config)
        key = _manage_keys(settings).revoke(key_id)
        record_command(settings, {"action": "keys revoke", "tenant": key.tenant, "key": key.key_id})
    if output == "json":
        click.echo(json.dumps(_shown(key)))
    else:
        click.echo(f"Key {key.key_id} of tenant {key.tenant} is revoked: every gateway refuses it within 2 seconds.")


def _settings(config: Path | None) -> Settings:
    file = configuration_file(config)
    # Keys can be made on a machine that has none of the model servers' secrets.
    try:
        settings = load_settings(file)
    except ConfigurationError:
        settings = load_settings(file, resolve_secrets=False)
    if settings.state.store is Store.MEMORY:
        raise ConfigurationError(
            f"{file} keeps state in memory, where no other process can reach it. Set state.store to json to use keys."
        )
    return settings


def _manage_keys(settings: Settings) -> ManageKeys:
    tenants = [tenant.name for tenant in settings.tenants]
    return ManageKeys(open_state_store(settings), SystemClock(), tenants, secrets.token_bytes)


def _shown(key: ApiKey) -> dict[str, Any]:
    """What anybody may see of a key."""
    return {
        "id": key.key_id,
        "tenant": key.tenant,
        "created_at": _moment(key.created_ms),
        "revoked_at": None if key.revoked_ms is None else _moment(key.revoked_ms),
        "state": "live" if key.live else "revoked",
    }


def _table(stored: Sequence[ApiKey]) -> str:
    width = max(len("TENANT"), *(len(key.tenant) for key in stored))
    lines = [f"{'ID':8}  {'TENANT':{width}}  {'CREATED':20}  STATE"]
    for key in stored:
        state = "live" if key.revoked_ms is None else f"revoked {_moment(key.revoked_ms)}"
        lines.append(f"{key.key_id:8}  {key.tenant:{width}}  {_moment(key.created_ms):20}  {state}")
    return "\n".join(lines)


def _moment(wall_ms: int) -> str:
    return datetime.fromtimestamp(wall_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
