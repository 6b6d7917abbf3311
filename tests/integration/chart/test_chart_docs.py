"""What docs/kubernetes.md says about the chart is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.chart import CHART, rendered
from tests.support.chart_flows import flows
from tests.support.chart_rules import RULES
from tests.support.helm import ROOT, helm_program

PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")


@pytest.mark.engine
def test_its_table_of_flows_is_what_the_policies_allow() -> None:
    rows = re.findall(r"^\| ([a-z-]+) \| ([a-z-]+) \| (\d+) \|", PAGE, re.MULTILINE)
    told = {(source, to, int(port)) for source, to, port in rows}
    assert told == flows(rendered(CHART / "examples" / "values-site.yaml"))


@pytest.mark.engine
def test_its_way_to_check_a_configuration_works(tmp_path: Path) -> None:
    (script,) = (block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "config validate" in block)
    script = script.replace("helm template", f"{helm_program()} template").replace("deploy/helm/edgemind", str(CHART))
    script = script.replace("./run edgemind", f"{sys.executable} -m edgemind")
    values = (CHART / "examples" / "values-site.yaml").read_text(encoding="utf-8")
    (tmp_path / "values-site.yaml").write_text(values, encoding="utf-8")
    valid = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert valid.returncode == 0, valid.stderr

    (tmp_path / "values-site.yaml").write_text(values.replace("rate_per_s", "rate_per_minute"), encoding="utf-8")
    wrong = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "rate_per_minute: unknown key" in wrong.stderr


def test_its_pod_that_fills_the_cache_keeps_our_rules() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    pod = yaml.safe_load(block)
    pod["metadata"]["labels"] = {}
    broken = {name for name, rule in RULES.items() if rule([pod])}
    assert broken == {"network_policies"}, (
        "it is no pod of the release, so that the release's policies are not about it"
    )


def test_every_value_has_its_row() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    cells = " ".join(re.findall(r"^\|(.*?)\|", PAGE, re.MULTILINE))
    told = {word.split(".")[0] for word in re.findall(r"`([A-Za-z.]+)", cells)}
    assert values.keys() - told == {"imagePullSecrets", "listen"}
    assert values["networkPolicy"].keys() - told == {"enabled"}


def test_its_numbers_are_the_charts() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert f"({values['config']['limits']['drain_s']} s here)" in PAGE
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert f"Kubernetes {chart['kubeVersion'].removeprefix('>=').removesuffix('.0-0')} or newer" in PAGE
    assert f"edgemind-controller:{chart['appVersion']}" in PAGE
