"""`edgemind config`: check, show and compare configuration files. A refused file ends with exit code 2."""

import json
from collections.abc import Mapping
from pathlib import Path

import click
import yaml

from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings, changes, config_schema, effective_config, load_settings
from edgemind.settings.reference import field_tables, with_field_tables

REFUSED = 2
DIFFERENT = 1

file_argument = click.argument("file", required=False, type=click.Path(path_type=Path))

output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
)


@click.group("config")
def config_group() -> None:
    """Check, show and compare edgemind.yaml files."""


@config_group.command("validate")
@file_argument
@click.option("--without-secrets", is_flag=True, help="Check only the form of env: and file: references (for CI).")
@output_option
def validate_command(file: Path | None, without_secrets: bool, output: str) -> None:
    """Tell all that is wrong with FILE (default: $EDGEMIND_CONFIG, edgemind.yaml, or a demo's in this folder)."""
    if output == "json":
        _validate_as_json(_chosen(file), without_secrets)
        return
    settings = _load(_chosen(file), resolve_secrets=not without_secrets)
    click.echo(f"ok: {_summary(settings)}")


@config_group.command("show")
@file_argument
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def show_command(file: Path | None, output: str) -> None:
    """Print the configuration in force: FILE, the environment's overrides and all defaults. Secrets stay references."""
    plain = effective_config(_load(_chosen(file), resolve_secrets=False))
    text = json.dumps(plain, indent=2) if output == "json" else yaml.safe_dump(plain, sort_keys=False, width=120)
    click.echo(text.rstrip("\n"))


@config_group.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@output_option
def diff_command(before: Path, after: Path, output: str) -> None:
    """Compare two files field by field, defaults included. Exit code 0: equal, 1: different, 2: a file is refused."""
    # Without the environment: an override would hide that the files differ in that field.
    old, new = (_load(path, {}, resolve_secrets=False) for path in (before, after))
    differences = changes(old, new)
    if output == "json":
        click.echo(json.dumps({"changes": [str(change) for change in differences]}, indent=2))
    else:
        click.echo("\n".join(map(str, differences)) if differences else "no difference")
    if differences:
        raise click.exceptions.Exit(DIFFERENT)


@config_group.command("schema")
@click.option("-o", "--output", type=click.Choice(["json", "markdown"]), default="json", show_default=True)
@click.option(
    "--write", "folder", type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Renew edgemind.schema.json and the tables of configuration.md in this folder instead of printing.",
)  # fmt: skip
def schema_command(output: str, folder: Path | None) -> None:
    """Print the JSON Schema of edgemind.yaml, or the table of its fields."""
    schema = json.dumps(config_schema(), indent=2)
    if folder is None:
        click.echo(schema if output == "json" else field_tables())
        return
    reference = folder / "configuration.md"
    (folder / "edgemind.schema.json").write_text(schema + "\n", encoding="utf-8")
    reference.write_text(with_field_tables(reference.read_text(encoding="utf-8")), encoding="utf-8")
    click.echo(f"wrote {folder / 'edgemind.schema.json'} and the tables of {reference}")


def _chosen(file: Path | None) -> Path:
    return configuration_file(file)


def _load(path: Path, environ: Mapping[str, str] | None = None, *, resolve_secrets: bool) -> Settings:
    try:
        return load_settings(path, environ, resolve_secrets=resolve_secrets)
    except ConfigurationError as exc:
        click.echo(str(exc), err=True)
        raise click.exceptions.Exit(REFUSED) from None


def _validate_as_json(path: Path, without_secrets: bool) -> None:
    try:
        settings = load_settings(path, resolve_secrets=not without_secrets)
    except ConfigurationError as exc:
        click.echo(json.dumps({"ok": False, "findings": str(exc).splitlines()}, indent=2))
        raise click.exceptions.Exit(REFUSED) from None
    click.echo(json.dumps({"ok": True, "findings": [], "summary": _summary(settings)}, indent=2))


def _summary(settings: Settings) -> str:
    models = {model.name for site in settings.sites for model in site.models}
    counts = ((len(settings.sites), "site"), (len(models), "model"), (len(settings.tenants), "tenant"))
    parts = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts]
    parts.append(f"cloud {settings.cloud.name}" if settings.cloud else "no cloud")
    return ", ".join([*parts, f"policy {settings.routing.policy}", f"auth {settings.auth}"])
