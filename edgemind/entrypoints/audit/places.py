"""Where the commands find journals, anchors and the keys of checkpoints: in the configuration, or where one says."""

from dataclasses import dataclass
from pathlib import Path

import click

from edgemind import bootstrap
from edgemind.bootstrap.audit import audit_files, checkpoint_keys
from edgemind.domain.audit.checkpoints import Checkpoint, CheckpointKeys
from edgemind.entrypoints.configuration_file import configuration_file, named_file
from edgemind.entrypoints.exit_codes import WrongUsage
from edgemind.errors import ConfigurationError
from edgemind.ports.audit_files import AuditFiles
from edgemind.settings import Settings, Store, load_settings

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The fleet's configuration.  [default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder]",
)
journal_option = click.option(
    "--journal",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder of journals, or one journal.  [default: audit.directory of the configuration]",
)
anchors_option = click.option(
    "--anchors",
    "anchor_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Checkpoints in a file, as audit.anchor_file has them, instead of those in the state store. May be repeated.",
)
site_option = click.option("--site", "only", help="Only this site's journal.")
output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), help="Form of the answer.  [default: text]"
)


def wants_json(output: str | None) -> bool:
    """A flag of the command, or one before it."""
    before = click.get_current_context().find_root().params
    return bool((output or before.get("output")) == "json")


@dataclass(frozen=True, slots=True)
class Place:
    """Journals to look into. `settings` is None where only a folder is known: then no signature can be checked."""

    files: AuditFiles
    directory: Path
    settings: Settings | None

    def sites(self, only: str | None) -> list[str]:
        """WrongUsage if there is none to look at."""
        found = [site for site in self.files.sites() if only in {None, site}]
        if not found:
            what = f"journal of {only}" if only else "journal"
            raise WrongUsage(f"{self.directory} holds no {what}: --journal DIR names another place")
        return found

    @property
    def keys(self) -> CheckpointKeys:
        return CheckpointKeys(()) if self.settings is None else checkpoint_keys(self.settings)


def open_place(config: Path | None, journal: Path | None) -> Place:
    """With `--journal`, the configuration is used if there is one. ConfigurationError if neither is there."""
    settings = _settings(config, required=journal is None)
    directory = journal
    if directory is None:
        assert settings is not None
        directory = settings.audit.directory
    elif not directory.is_dir():
        raise WrongUsage(f"{directory} is no folder: --journal DIR names where the journals are")
    return Place(audit_files(directory), directory, settings)


def stored_anchors(settings: Settings | None) -> list[Checkpoint] | None:
    """What the state store holds; None where there is no store to ask. Raises what the store does."""
    if settings is None or settings.state.store is Store.MEMORY:
        return None
    return list(bootstrap.open_state_store(settings).audit_anchors())


def _settings(config: Path | None, *, required: bool) -> Settings | None:
    file = configuration_file(config)
    if not required and named_file(config) is None and not file.exists():
        return None
    try:
        return load_settings(file)
    except ConfigurationError:
        # Without its secrets the chain can be verified all the same, and the signatures cannot.
        return load_settings(file, resolve_secrets=False)
