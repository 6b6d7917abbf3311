"""A real Prometheus scrapes a real fleet that a crowd meets: every rule and every chart finds what it asks for."""

import math
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from edgemind.domain.kpi import Tier
from edgemind.domain.monitoring.grafana import dashboards, queries_of
from edgemind.domain.monitoring.promql import PROMQL
from edgemind.entrypoints.kpi.command import kpi
from edgemind.entrypoints.kpi.products import prometheus_files
from tests.support.demo_runs import SERVING, DemoRun, demo_run
from tests.support.engines import prometheus
from tests.support.engines.prometheus import Prometheus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LIMIT_S = 90.0
"""Until something that should be measured is given up; nothing is asserted about how soon it is."""
TIER = Tier.LOCAL
MEASURED = {name: query for name, query in PROMQL.items() if isinstance(query, str)}
SHOWN = {query for document in dashboards(TIER).values() for query in queries_of(document)}


def config_for(run: DemoRun, folder: Path) -> Path:
    """What `edgemind kpi scrape` makes of the demo's configuration, looking more often."""
    [found] = run.folder.rglob("edgemind.yaml")
    token = found.parent / "viewer.token"
    made = CliRunner().invoke(kpi, ["scrape", str(found), "--token-file", str(token)])
    assert made.exit_code == 0, made.output
    document = yaml.safe_load(made.stdout)
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    for name, text in prometheus_files(TIER).items():
        (folder / name).write_text(text, encoding="utf-8")
    return config


def without_data(server: Prometheus, queries: Iterable[str]) -> list[str]:
    """Queries that answer nothing, or no number."""
    return [query for query in queries if not any(map(math.isfinite, server.values(query)))]


def test_every_rule_and_every_chart_finds_data(tmp_path: Path) -> None:
    if reason := prometheus.why_not():
        pytest.skip(reason)
    with demo_run(tmp_path, "--backend", "simulated", "--scenario", "flash-crowd", "--duration", "120") as run:
        run.until(SERVING)
        with prometheus.running(config_for(run, tmp_path), tmp_path) as server:
            asked = {*MEASURED.values(), *SHOWN}
            give_up_s = time.monotonic() + LIMIT_S
            while missing := without_data(server, asked):
                assert time.monotonic() < give_up_s, missing
                time.sleep(0.5)
            the_values_are_what_they_say(server)
            everything_is_scraped(server)
            every_rule_can_be_evaluated(server)


def the_values_are_what_they_say(server: Prometheus) -> None:
    found = {name: server.values(query) for name, query in MEASURED.items()}
    assert all(len(values) == 1 for values in found.values()), "one value for one metro"
    for name, [value] in found.items():
        if name.endswith("_ratio"):
            assert 0.0 <= value <= 1.0, (name, value)
        else:
            assert 0.0 < value < 60_000.0, (name, value)
    assert found["availability_ratio"][0] > 0.5


def everything_is_scraped(server: Prometheus) -> None:
    targets = server.ask("targets")["activeTargets"]
    assert {(target["labels"]["at"], target["health"]) for target in targets} == {
        ("site-a", "up"), ("site-b", "up"), ("site-c", "up"),
    }  # fmt: skip
    assert len(targets) == 6, "a gateway and a controller of each site"


def every_rule_can_be_evaluated(server: Prometheus) -> None:
    rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
    assert rules
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] != "ok"} == {}
