"""`edgemind models publish|versions|fetch|rollback`: model files, beside the fleet API's `models list`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgemind.bootstrap import open_model_store
from edgemind.domain.model_files import ModelManifest
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import Refused, exit_codes
from edgemind.entrypoints.fleet_commands import models
from edgemind.entrypoints.text_tables import text_table
from edgemind.ports.model_store import ModelStore, PublishedModel
from edgemind.settings import load_settings

__all__ = ["models"]

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The fleet's configuration, whose `model_store` says where model files are published. "
    "Default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder.",
)
output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)
EXIT_CODES = "Exit codes: 0 done; 1 refused, or not possible just now; 2 wrong usage or configuration."


@models.command(epilog=EXIT_CODES)
@click.argument("model")
@click.argument("version")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@config_option
@output_option
def publish(model: str, version: str, source: Path, config: Path | None, output: str) -> None:
    """Store a file, or a folder with all that is in it, as a version of a model, and make it the one to serve.

    Nothing is seen of it before it is whole. The same version can be published again, and only with the same content.
    """
    click.echo(f"publishing {source}; a large model takes a while ...", err=True)
    with exit_codes():
        manifest = _store(config).publish(model, version, source)
    _answer(output, _shown(manifest), lambda: f"{model} {version} is published: {_contents(manifest)}.")


@models.command(epilog=EXIT_CODES)
@config_option
@output_option
def versions(config: Path | None, output: str) -> None:
    """Every published model, the version to serve, and those before it."""
    with exit_codes():
        published = _store(config).list_models()
    rows = [[one.model, one.version, ", ".join(one.previous) or "-"] for one in published]
    empty = "No model is published. Publish one with: edgemind models publish MODEL VERSION FILE"
    _answer(
        output,
        {"models": [_pointer(one) for one in published]},
        lambda: text_table(["MODEL", "SERVED", "BEFORE"], rows) if rows else empty,
    )


@models.command(epilog=EXIT_CODES)
@click.argument("model")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", help="Default: the one to serve.")
@config_option
@output_option
def fetch(model: str, folder: Path, version: str | None, config: Path | None, output: str) -> None:
    """Bring a model's files below FOLDER, each part checked; after an interruption it goes on where it was."""
    click.echo(f"fetching {model}; a large model takes a while ...", err=True)
    with exit_codes():
        place = _store(config).fetch(model, folder, version)
    _answer(output, {"model": model, "place": str(place)}, lambda: str(place))


@models.command(epilog=EXIT_CODES)
@click.argument("model")
@click.argument("version", required=False)
@config_option
@output_option
def rollback(model: str, version: str | None, config: Path | None, output: str) -> None:
    """Make an earlier VERSION the one to serve; without one, the version before."""
    with exit_codes():
        store = _store(config)
        wanted = version or _before(store, model)
        store.serve_version(model, wanted)
    _answer(output, {"model": model, "version": wanted}, lambda: f"{model} is served at {wanted} again.")


def _before(store: ModelStore, model: str) -> str:
    """The version that was served before the present one; Refused if there was none."""
    for published in store.list_models():
        if published.model == model:
            if published.previous:
                return published.previous[0]
            raise Refused(f"{model} has no version before {published.version}: there is nothing to roll back to")
    raise Refused(f"no model {model} is published; see what there is with: edgemind models versions")


def _store(config: Path | None) -> ModelStore:
    file = configuration_file(config)
    # Models are published from machines that have none of the fleet's secrets.
    return open_model_store(load_settings(file, resolve_secrets=False))


def _pointer(published: PublishedModel) -> dict[str, Any]:
    return {"model": published.model, "version": published.version, "previous": list(published.previous)}


def _shown(manifest: ModelManifest) -> dict[str, Any]:
    files = [{"path": file.path, "size_bytes": file.size_bytes} for file in manifest.files]
    return {"model": manifest.model, "version": manifest.version, "size_bytes": manifest.size_bytes, "files": files}


def _contents(manifest: ModelManifest) -> str:
    count = len(manifest.files)
    return f"{count} file{'s' if count != 1 else ''}, {manifest.size_bytes / 1e6:,.1f} MB"


def _answer(output: str, document: dict[str, Any], text: Callable[[], str]) -> None:
    click.echo(json.dumps(document, indent=2) if output == "json" else text())
