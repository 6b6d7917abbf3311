"""What `edgemind check aws` prints, with the app's needs and an account that are the test's own."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.domain.deployment_needs import DeploymentNeeds, Quota, QuotaState, RegionNeeds, ZoneState
from edgemind.entrypoints import check_commands
from edgemind.entrypoints.cli import cli
from edgemind.errors import TemporaryError

NEEDS = DeploymentNeeds("staging", "123456789012", 6, (RegionNeeds("eu-central-1", {Quota.VPCS: 1}, ("ham-1a",)),))


class Account:
    """One that has all that NEEDS ask for, unless its zone is not opted in."""

    def __init__(self, *, opted_in: bool = True) -> None:
        self._opted_in = opted_in

    def account(self) -> str:
        return "123456789012"

    def bootstrap_version(self, region: str) -> int | None:
        return 30

    def quota(self, region: str, quota: Quota, environment: str) -> QuotaState:
        return QuotaState(5, 2, "vpc/L-F678F1CE")

    def zone(self, region: str, zone: str) -> ZoneState | None:
        return ZoneState("ham-1", self._opted_in)

    def model_lacks(self, region: str, model: str) -> tuple[str, ...]:
        raise AssertionError("no model is needed")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a CDK app that tells NEEDS."""
    (tmp_path / "cdk.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    def app(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        assert command[1:] == ["-m", "stacks.needs", "-c", "env=staging"]
        return subprocess.CompletedProcess(command, 0, json.dumps(NEEDS.document()), "")

    monkeypatch.setattr(subprocess, "run", app)
    return tmp_path


def asked(monkeypatch: pytest.MonkeyPatch, account: Account, *arguments: str) -> Result:
    monkeypatch.setattr(check_commands, "cloud_account", lambda: account)
    return CliRunner().invoke(cli, ["check", "aws", "-c", "env=staging", *arguments])


@pytest.mark.usefixtures("tree")
def test_an_account_that_lacks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = asked(monkeypatch, Account())
    assert shown.exit_code == 0
    assert "ok       eu-central-1  VPCs         1 needed, 2 of 5 in use\n" in shown.output
    assert shown.output.endswith("staging can be deployed: cdk deploy --all -c env=staging\n")


@pytest.mark.usefixtures("tree")
def test_each_gap_comes_with_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = asked(monkeypatch, Account(opted_in=False))
    assert shown.exit_code == 1
    assert "1 to mend before staging is deployed:\n  eu-central-1, zone ham-1a:\n    aws ec2 modify-" in shown.output


@pytest.mark.usefixtures("tree")
def test_the_same_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(asked(monkeypatch, Account(opted_in=False), "-o", "json").output)
    assert (told["environment"], told["account"], told["ready"]) == ("staging", "123456789012", False)
    assert [finding["verdict"] for finding in told["findings"]] == ["ok", "ok", "ok", "missing"]
    assert told["findings"][0]["mend"] is None
    assert told["findings"][3]["mend"].startswith("aws ec2 modify-availability-zone-group")


@pytest.mark.usefixtures("tree")
def test_an_account_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(Account):
        def account(self) -> str:
            raise TemporaryError("AWS did not answer")

    shown = asked(monkeypatch, Away())
    assert shown.exit_code == 3
    assert "AWS did not answer" in shown.output
