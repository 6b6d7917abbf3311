"""`edgemind kpi`, and what it generates: committed as it is, and loadable by Grafana's own model."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from edgemind.domain.kpi import BY_NAME, KPIS, Tier
from edgemind.domain.monitoring.catalogue import catalogue_tables, with_catalogue
from edgemind.domain.monitoring.grafana import dashboards
from edgemind.domain.monitoring.grafana_panels import WIDTH
from edgemind.entrypoints.kpi.command import kpi
from edgemind.entrypoints.kpi.products import grafana_files, prometheus_files

ROOT = Path(__file__).resolve().parents[4]
EVERY_DASHBOARD = [document for tier in Tier for document in dashboards(tier).values()]


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What of a document is not in what Grafana's model makes of it."""
    if isinstance(given, dict) and isinstance(kept, dict):
        gone = [f"{path}.{key}" for key in given.keys() - kept.keys()]
        return gone + [
            one for key in given.keys() & kept.keys() for one in lost(given[key], kept[key], f"{path}.{key}")
        ]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = zip(given, kept, strict=True)
        return [one for number, pair in enumerate(pairs) for one in lost(*pair, f"{path}[{number}]")]
    return [] if given == kept else [path]


def as_grafana_reads_it(document: dict[str, Any]) -> Any:
    register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(document)))))


@pytest.mark.parametrize("document", EVERY_DASHBOARD, ids=lambda document: document["uid"])
def test_grafanas_own_model_knows_every_field(document: dict[str, Any]) -> None:
    assert lost(document, as_grafana_reads_it(document)) == []


def test_a_field_that_grafana_does_not_know_would_be_found() -> None:
    document = json.loads(json.dumps(EVERY_DASHBOARD[0]))
    document["panels"][0]["colour"] = "red"
    document["panels"][1]["options"]["graphmode"] = "area"
    assert lost(document, as_grafana_reads_it(document)) == [".panels[0].colour", ".panels[1].options.graphmode"]


@pytest.mark.parametrize("document", EVERY_DASHBOARD, ids=lambda document: document["uid"])
def test_panels_have_ids_of_their_own_and_do_not_overlap(document: dict[str, Any]) -> None:
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < WIDTH
    for panel in panels:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0


def test_titles_and_uids_are_unique_and_short_enough() -> None:
    assert len({document["uid"] for document in EVERY_DASHBOARD}) == len(EVERY_DASHBOARD)
    assert all(len(document["uid"]) <= 40 for document in EVERY_DASHBOARD)


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize(
    ("folder", "made", "renewed_by"),
    [("prometheus", prometheus_files, "prometheus"), ("grafana", grafana_files, "grafana")],
)
def test_what_is_committed_is_what_the_catalogue_says(folder: str, made: Any, renewed_by: str, tier: Tier) -> None:
    for name, text in made(tier).items():
        committed = (ROOT / "deploy" / folder / name).read_text(encoding="utf-8")
        assert committed == text, f"renew it: edgemind kpi {renewed_by} --write deploy/{folder}"


def test_the_page_of_kpis_shows_the_catalogue() -> None:
    page = (ROOT / "docs" / "kpis.md").read_text(encoding="utf-8")
    assert page == with_catalogue(page), "renew it: edgemind kpi docs --write docs"


def test_a_page_without_a_place_for_them_is_refused() -> None:
    with pytest.raises(ValueError, match="the page needs the lines"):
        with_catalogue("# KPIs\n")


def run(*flags: str) -> str:
    result = CliRunner().invoke(kpi, list(flags))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_list_has_every_kpi_with_its_tiers_limits() -> None:
    rows = json.loads(run("list", "--tier", "production", "-o", "json"))
    assert [row["name"] for row in rows] == [one.name for one in KPIS]
    [latency] = [row for row in rows if row["name"] == "added_latency_ms"]
    assert latency["target"] == BY_NAME["added_latency_ms"].limits[Tier.PRODUCTION].target
    assert "added_latency_ms         below      50 ms    40 ms" in run("list", "--tier", "production")


def test_files_are_printed_or_written(tmp_path: Path) -> None:
    assert "# rules-staging.yaml\n" in run("prometheus", "--tier", "staging")
    run("grafana", "--tier", "local", "--write", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "developer-local.json",
        "executive-local.json",
        "operations-local.json",
    ]
    assert catalogue_tables() in run("docs")


def test_cloudwatchs_alarms_and_dashboards_can_be_looked_at() -> None:
    document = json.loads(run("cloudwatch", "--metro", "m"))
    assert {alarm["level"] for alarm in document["alarms"]} == {"critical", "warning", "info"}
    assert list(document["dashboards"]) == ["executive", "operations", "developer"]
