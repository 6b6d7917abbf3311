"""What `cdk synth` gives for each environment: the stacks, their names, and that nothing outside is asked."""

from pathlib import Path

import pytest

from edgemind.domain import deployment
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import run_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_tables_have_the_keys_that_the_core_uses(synthesized: Synthesized, tier: str) -> None:
    tables = list(synthesized(tier).resources("AWS::DynamoDB::GlobalTable"))
    assert tables
    for _, _, table in tables:
        properties = table["Properties"]
        assert properties["KeySchema"] == [
            {"AttributeName": deployment.PARTITION_KEY, "KeyType": "HASH"},
            {"AttributeName": deployment.SORT_KEY, "KeyType": "RANGE"},
        ]
        assert properties["TimeToLiveSpecification"] == {
            "AttributeName": deployment.TTL_ATTRIBUTE,
            "Enabled": True,
        }
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        for replica in properties["Replicas"]:
            assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
            assert replica["DeletionProtectionEnabled"] is ENVIRONMENTS[tier].protected


def test_the_core_finds_its_outputs_in_every_region(synthesized: Synthesized, tier: str) -> None:
    templates = synthesized(tier).templates
    for region in ENVIRONMENTS[tier].regions:
        for place in deployment.PLACES.values():
            outputs = templates[place.stack(tier, region.name)]["Outputs"]
            assert place.output in outputs


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "-c env: is missing; legal: staging, production"),
        ({"env": "prod"}, "-c env: there is no environment 'prod'; legal: staging, production"),
        ({"env": "staging", "account": "12"}, "staging.account: is '12'; legal: 12 digits, such as"),
    ],
)
def test_a_wrong_request_fails_with_one_clear_line(tmp_path: Path, context: dict[str, str], message: str) -> None:
    done = run_app(tmp_path / "cdk.out", context)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
