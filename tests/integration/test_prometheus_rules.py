"""The alert rules under Prometheus's own tool: each fires beyond its limit, after its time, and never within it."""

import shutil
from pathlib import Path

import pytest
import yaml

from edgemind.domain.kpi import Tier
from tests.support.engines import prometheus
from tests.support.engines.process import ROOT

pytestmark = pytest.mark.slow
FOLDER = ROOT / "deploy" / "prometheus"


@pytest.fixture(autouse=True)
def needed() -> None:
    if reason := prometheus.why_not():
        pytest.skip(reason)


@pytest.mark.parametrize("tier", [tier.value for tier in Tier])
def test_rules_are_right_and_do_what_they_say(tier: str) -> None:
    checked = prometheus.promtool("check", "rules", "--lint-fatal", f"rules-{tier}.yaml", folder=FOLDER)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = prometheus.promtool("test", "rules", f"rules-{tier}.test.yaml", folder=FOLDER)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_rule_that_looks_at_the_wrong_side_is_found(tmp_path: Path) -> None:
    for name in ("rules-production.yaml", "rules-production.test.yaml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    rules = tmp_path / "rules-production.yaml"
    document = yaml.safe_load(rules.read_text(encoding="utf-8"))
    [rule] = [one for one in document["groups"][0]["rules"] if one["alert"] == "slo_attainment_ratio"]
    rule["expr"] = rule["expr"].replace(" < 0.99", " > 0.99")
    rules.write_text(yaml.safe_dump(document), encoding="utf-8")
    tested = prometheus.promtool("test", "rules", "rules-production.test.yaml", folder=tmp_path)
    assert tested.returncode != 0
    assert "slo_attainment_ratio" in tested.stdout + tested.stderr


def test_the_example_of_what_to_scrape_is_right(tmp_path: Path) -> None:
    for name in ("prometheus-demo.yaml", "rules-local.yaml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    (tmp_path / "viewer.token").write_text("look", encoding="utf-8")
    checked = prometheus.promtool("check", "config", "prometheus-demo.yaml", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
