"""`edgemind swarm provision`."""

import json
from pathlib import Path

import click

from edgemind import bootstrap
from edgemind.entrypoints.command_audit import record_command
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.entrypoints.keys_commands import config_option, output_option
from edgemind.errors import ConfigurationError
from edgemind.services.rounds.provision import provision as provision_metro
from edgemind.settings import Store, load_settings

HIGHEST_EPOCH = 2**31


@click.group()
def swarm() -> None:
    """Prepare a metro for the rounds in which its sites decide.

    Exit codes: 0 done; 1 not possible just now; 2 wrong usage or configuration.
    """


@swarm.command()
@config_option
@click.option("--epoch", type=click.IntRange(1, HIGHEST_EPOCH), default=1, show_default=True,
              help="Higher than ever before, after the store was lost, restored or moved.")  # fmt: skip
@output_option
def provision(config: Path | None, epoch: int, output: str) -> None:
    """Put the metro's first, already decided round into the store, if there is none. What is there stays.

    Controllers never do it themselves: a store that has lost its rounds would begin to count anew, and old decisions
    would pass for new ones.

    Exit codes: 0 it is there; 1 the store cannot be used; 2 wrong usage or configuration.
    """
    with exit_codes():
        settings = load_settings(configuration_file(config))
        if settings.state.store is Store.MEMORY:
            raise ConfigurationError("state.store: memory is each process's own, so no rounds are decided; use json")
        done = provision_metro(bootstrap.open_swarm_store(settings), epoch)
        record_command(settings, {"action": "swarm provision", "epoch": epoch, "new": done.new})
    if output == "json":
        click.echo(json.dumps({"metro": settings.metro, "known": str(done.fence), "new": done.new}))
    elif done.new:
        click.echo(f"metro {settings.metro} is provisioned: its rounds begin after {done.fence}")
    else:
        click.echo(f"metro {settings.metro} was provisioned before: it stands at round {done.fence}, which stays")
