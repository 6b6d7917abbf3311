"""`edgemind check aws` as a person calls it, against an AWS of this machine that is not ready for anything."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.cloud_account.aws import BOOTSTRAP_PARAMETER
from tests.support.engines.aws import LocalAws
from tests.support.engines.process import ROOT

pytestmark = pytest.mark.engine

STAGING = ("-c", "env=staging")
HERE = (*STAGING, "-c", "account=123456789012")


def check(
    aws: LocalAws, *arguments: str, folder: Path = ROOT, **environment: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "edgemind", "check", "aws", *arguments]
    # From anywhere, the package is found as if it were installed.
    variables = {**aws.environment(), "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def findings(aws: LocalAws) -> dict[tuple[str, str], dict[str, Any]]:
    told = check(aws, *HERE, "-o", "json")
    assert told.returncode == 1, told.stderr
    document = json.loads(told.stdout)
    assert document["ready"] is False
    return {(finding["place"], finding["subject"]): finding for finding in document["findings"]}


@pytest.mark.slow
def test_gaps_are_listed_and_close_when_they_are_mended(ministack: LocalAws) -> None:
    before = findings(ministack)
    assert before["account", "account"]["verdict"] == "ok"
    bootstrap = before[ministack.region, "bootstrap"]
    assert (bootstrap["verdict"], bootstrap["found"]) == ("missing", "not bootstrapped")
    assert bootstrap["mend"] == "npx cdk bootstrap -c env=staging aws://123456789012/eu-central-1"
    assert before[ministack.region, "zone eu-central-1-ham-1a"]["verdict"] == "missing"
    # ministack has no Service Quotas: what cannot be looked at is no clean bill.
    assert before[ministack.region, "VPCs"]["verdict"] == "unknown"
    assert "servicequotas:GetServiceQuota" in before[ministack.region, "VPCs"]["found"]

    ministack.client("ssm").put_parameter(Name=BOOTSTRAP_PARAMETER, Value="30", Type="String")
    try:
        assert findings(ministack)[ministack.region, "bootstrap"]["found"] == "version 30"
    finally:
        ministack.client("ssm").delete_parameter(Name=BOOTSTRAP_PARAMETER)


def test_the_wrong_account_is_the_only_finding(ministack: LocalAws) -> None:
    told = check(ministack, *STAGING)
    assert told.returncode == 1
    assert "the credentials are for 123456789012, staging is for 111111111111" in told.stdout
    assert "1 to mend before staging is deployed:" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-c", "env=prod"), "there is no environment 'prod'; legal: staging, production"),
        (("-c", "account=123456789012"), "-c env: is missing"),
        ((*STAGING, "-c", "account=12"), "12 digits"),
        ((), "Missing option"),
    ],
)
def test_wrong_usage_ends_with_2(ministack: LocalAws, arguments: tuple[str, ...], says: str) -> None:
    told = check(ministack, *arguments)
    assert told.returncode == 2
    assert says in told.stderr
    assert "Traceback" not in told.stderr


def test_outside_the_tree_it_says_where_it_belongs(ministack: LocalAws, tmp_path: Path) -> None:
    told = check(ministack, *STAGING, folder=tmp_path)
    assert told.returncode == 2
    assert "has no cdk.json: run this in the folder of the CDK app" in told.stderr


def test_an_aws_out_of_reach_ends_with_3(ministack: LocalAws) -> None:
    told = check(ministack, *HERE, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert told.returncode == 3
    assert told.stderr.startswith("Error: AWS did not answer sts:GetCallerIdentity")
    assert told.stderr.count("\n") == 1
