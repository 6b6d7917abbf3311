"""`edgemind kpi`: the KPI catalogue, and what is generated from it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from edgemind.domain.kpi import KPIS, Tier
from edgemind.domain.monitoring.catalogue import catalogue_tables, with_catalogue
from edgemind.domain.monitoring.rules import shown
from edgemind.entrypoints.kpi.products import cloudwatch_document, grafana_files, prometheus_files, scrape_file
from edgemind.entrypoints.text_tables import Cell, text_table
from edgemind.settings import load_settings

PAGE = "kpis.md"
_TIERS = [tier.value for tier in Tier]
Command = Callable[..., None]

tier_option = click.option("--tier", type=click.Choice(_TIERS), help="Which tier's limits. Without it: every tier's.")
write_option = click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Write files into this folder instead of printing.",
)


@click.group("kpi")
def kpi() -> None:
    """The KPI catalogue, and the rules, dashboards and alarms that are generated from it."""


@kpi.command("list")
@click.option("--tier", type=click.Choice(_TIERS), default=Tier.LOCAL.value, show_default=True)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_command(tier: str, output: str) -> None:
    """Print every KPI with its limits in a tier. `edgemind kpis` tells what a fleet reaches."""
    rows = [_row(Tier(tier), number) for number in range(len(KPIS))]
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    cells: list[list[Cell]] = [[_shown(value, row["unit"]) for value in _cells(row)] for row in rows]
    click.echo(text_table(["KPI", "SHOULD BE", "TARGET", "WARNING", "CRITICAL", "AFTER S"], cells))


@kpi.command("prometheus")
@tier_option
@write_option
def prometheus_command(tier: str | None, folder: Path | None) -> None:
    """Alert rules for Prometheus, and their tests for promtool."""
    _hand_out(prometheus_files, tier, folder)


@kpi.command("scrape")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--tier", type=click.Choice(_TIERS), default=Tier.LOCAL.value, show_default=True, help="Its rules.")
@click.option("--token-file", help="A file, where Prometheus runs, that holds a viewer's token.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Of each gateway.")
def scrape_command(config: Path, tier: str, token_file: str | None, workers: int) -> None:
    """A prometheus.yaml for the fleet of CONFIG, an edgemind.yaml."""
    fleet = load_settings(config, resolve_secrets=False).fleet()
    click.echo(scrape_file(fleet, Tier(tier), token_file, workers), nl=False)


@kpi.command("grafana")
@tier_option
@write_option
def grafana_command(tier: str | None, folder: Path | None) -> None:
    """Dashboards for Grafana: executive, operations, developer."""
    _hand_out(grafana_files, tier, folder)


@kpi.command("cloudwatch")
@click.option("--tier", type=click.Choice(_TIERS), default=Tier.PRODUCTION.value, show_default=True)
@click.option("--metro", default="metro", show_default=True, help="Whose metrics.")
@click.option("--region", default="eu-central-1", show_default=True, help="Where CloudWatch keeps them.")
def cloudwatch_command(tier: str, metro: str, region: str) -> None:
    """Alarms and dashboards for CloudWatch. The observability stack has them; this is for looking at."""
    click.echo(cloudwatch_document(Tier(tier), metro, region), nl=False)


@kpi.command("docs")
@click.option(
    "--write", "folder", type=click.Path(file_okay=False, exists=True, path_type=Path),
    help=f"Renew the tables of {PAGE} in this folder instead of printing.",
)  # fmt: skip
def docs_command(folder: Path | None) -> None:
    """The catalogue as Markdown tables."""
    if folder is None:
        click.echo(catalogue_tables())
        return
    page = folder / PAGE
    page.write_text(with_catalogue(page.read_text(encoding="utf-8")), encoding="utf-8")
    click.echo(f"wrote the tables of {page}")


def _hand_out(made: Callable[[Tier], Mapping[str, str]], tier: str | None, folder: Path | None) -> None:
    tiers = list(Tier) if tier is None else [Tier(tier)]
    files = {name: text for one in tiers for name, text in made(one).items()}
    for name, text in files.items():
        if folder is None:
            click.echo(f"# {name}\n{text}", nl=False)
        else:
            (folder / name).write_text(text, encoding="utf-8")
            click.echo(f"wrote {folder / name}")


def _row(tier: Tier, number: int) -> dict[str, Any]:
    one = KPIS[number]
    limits = one.limits[tier]
    return {
        "name": one.name,
        "good": one.good.value,
        "target": limits.target,
        "warning": limits.warning,
        "critical": limits.critical,
        "dwell_s": one.dwell_s,
        "unit": one.unit,
    }


def _cells(row: Mapping[str, Any]) -> list[Any]:
    return [row[name] for name in ("name", "good", "target", "warning", "critical", "dwell_s")]


def _shown(value: Any, unit: str) -> Cell:
    return shown(value, unit) if isinstance(value, float) else value
