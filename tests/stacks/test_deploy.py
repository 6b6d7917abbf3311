"""The documented commands on an AWS of this machine: every stack is deployed, does not differ, and is destroyed.

What runs on what was deployed is the real core: it finds its table by the environment's name alone.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edgemind.domain import deployment
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized
from tests.stacks.stubbed_types import LIMIT, STUBBED_TYPES
from tests.support import cdk as cdk_command
from tests.support.assemblies import Assembly, run_app
from tests.support.cdk import Cdk, marked
from tests.support.deployed_core import METRO, DeployedCore, model_server
from tests.support.dynamodb_stores import dynamodb_store
from tests.support.engines import ministack as ministack_engine
from tests.support.engines.aws import CREDENTIALS, LocalAws
from tests.support.gateway_process import eventually
from tests.support.serving import served
from tests.support.wire import Answer

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(600)]

STACKS = {"staging": 14, "production": 30}


@pytest.fixture
def cdk(tmp_path: Path, tier: str, synthesized: Synthesized) -> Iterator[Cdk]:
    if reason := ministack_engine.why_not() or cdk_command.why_not():
        pytest.skip(reason)
    images = public_images(synthesized(tier))
    with ministack_engine.running(tmp_path, STUBBED_TYPES, images) as engine:
        yield Cdk(engine, tmp_path / "home")


def public_images(assembly: Assembly) -> list[str]:
    """AWS's public parameters that the templates take machine images from."""
    return sorted(
        {
            parameter["Default"]
            for template in assembly.templates.values()
            for parameter in template.get("Parameters", {}).values()
            if parameter["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
        }
    )


def regions_of(tier: str) -> list[str]:
    return [region.name for region in ENVIRONMENTS[tier].regions]


def test_deploy_diff_and_destroy(
    cdk: Cdk, tier: str, synthesized: Synthesized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    regions, count = regions_of(tier), STACKS[tier]
    assert len(synthesized(tier).stacks) == count
    places = " ".join(f"aws://{cdk.aws.account}/{region}" for region in regions)
    bootstrapped = cdk(f"bootstrap {places} --app {synthesized(tier).path}")
    assert bootstrapped.text.count("bootstrapped.") == len(regions)

    deployed = cdk(f"deploy --all -c env={tier}")
    assert deployed.code == 0, deployed.text
    assert len(marked(deployed)) == count
    assert deployed.asked > 0, "a person was not asked before permissions were given"
    assert cdk.stacks(*regions) == dict.fromkeys(synthesized(tier).stacks, "CREATE_COMPLETE")
    assert missing_resources(cdk.aws, synthesized(tier)) == []

    same = cdk(f"diff --all -c env={tier}")
    assert same.code == 0, same.text
    assert same.text.count("There were no differences") == count
    assert "Number of stacks with differences: 0" in same.text

    the_core_runs_on_it(cdk.aws, tier, tmp_path / "core")

    destroyed = cdk(f"destroy --all -c env={tier}")
    if ENVIRONMENTS[tier].protected:
        assert destroyed.code == 1
        assert "TerminationProtection" in destroyed.text
        protected_data_stays(cdk.aws, synthesized(tier), regions)
        unprotected = tmp_path / "unprotected"
        made = run_app(unprotected, {"env": tier, **cdk.context}, "tests/stacks/unprotected_app.py")
        assert made.returncode == 0, made.stderr
        unlocked = cdk(f"deploy --all --app {unprotected}")
        assert unlocked.code == 0, unlocked.text
        destroyed = cdk(f"destroy --all --app {unprotected}")
    assert destroyed.code == 0, destroyed.text
    assert len(marked(destroyed, ": destroyed")) == count
    assert cdk.stacks(*regions) == {}


def missing_resources(aws: LocalAws, assembly: Assembly) -> list[str]:
    """What a template has and its stack has not: none may be passed over in silence."""
    missing = []
    for stack, template in assembly.templates.items():
        region = assembly.stacks[stack]["environment"].rpartition("/")[2]
        client = LocalAws(aws.about, aws.endpoint_url, region).client("cloudformation")
        resources = client.describe_stack_resources(StackName=stack)["StackResources"]
        made = {told["LogicalResourceId"] for told in resources if told["ResourceStatus"] == "CREATE_COMPLETE"}
        # What the command line adds for AWS's statistics is not in the assembly.
        missing += [f"{stack}: {name}" for name in template["Resources"] if name not in made]
    return missing


def protected_data_stays(aws: LocalAws, assembly: Assembly, regions: list[str]) -> None:
    tables = [table["Properties"]["TableName"] for _, _, table in assembly.resources("AWS::DynamoDB::GlobalTable")]
    here = LocalAws(aws.about, aws.endpoint_url, regions[0]).dynamodb.list_tables()["TableNames"]
    assert set(tables) == set(here)


def the_core_runs_on_it(aws: LocalAws, tier: str, folder: Path) -> None:
    """Sites register in the table that the outputs name, a key from it opens the gateways, requests are routed."""
    plan = ENVIRONMENTS[tier]
    sites = [site.name for site in plan.sites_in(plan.primary)][:3]
    with served(model_server) as url:
        core = DeployedCore.plan(aws, tier, folder, sites, url)
        key = core.new_key()
        with core.running():
            store = dynamodb_store(aws, table_of(aws, tier), metro=METRO)
            eventually(
                "every site is registered",
                lambda: {registration.site for registration in store.list_registrations()} == set(sites),
            )
            for site in sites:
                answer = eventually(f"{site} answers", partial(answered, core, site, key), 0.2)
                assert answer
                assert answer["x-edgemind-site"] in sites
            assert core.chat(sites[0], "em_00000000_wrong").status == 401


def answered(core: DeployedCore, site: str, key: str) -> Answer | None:
    answer = core.chat(site, key)
    return answer if answer.status == 200 else None


def table_of(aws: LocalAws, tier: str) -> str:
    """By the output, as AWS tells it."""
    stack = deployment.regional_stack(tier, aws.region, deployment.DATA)
    [told] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in told["Outputs"]}
    return str(outputs[deployment.SWARM_TABLE])


def test_the_list_of_stand_ins_is_minimal(synthesized: Synthesized) -> None:
    assemblies = [synthesized(name) for name in ENVIRONMENTS]
    used = {
        resource["Type"]
        for assembly in assemblies
        for template in assembly.templates.values()
        for resource in template["Resources"].values()
    }
    assert STUBBED_TYPES.keys() - used == set(), "no template has them: take them out"
    assert len(STUBBED_TYPES) <= LIMIT
    for name, stub in STUBBED_TYPES.items():
        asked = {attribute for assembly in assemblies for attribute in attributes_asked(assembly, name)}
        assert asked == set(stub.attributes), name


def attributes_asked(assembly: Assembly, kind: str) -> Iterator[str]:
    """The attributes that templates ask of resources of one type."""
    for stack, logical_id, _ in assembly.resources(kind):
        yield from _attributes(assembly.templates[stack], logical_id)


def _attributes(node: object, logical_id: str) -> Iterator[str]:
    if isinstance(node, dict):
        got = node.get("Fn::GetAtt")
        if isinstance(got, list) and got[0] == logical_id:
            yield got[1]
        for value in node.values():
            yield from _attributes(value, logical_id)
    elif isinstance(node, list):
        for value in node:
            yield from _attributes(value, logical_id)


def test_a_type_that_is_neither_known_nor_on_the_list_stops_the_deploy(tmp_path: Path) -> None:
    """What the deploy test relies on: ministack refuses, and does not pass over, what it does not know."""
    if reason := ministack_engine.why_not():
        pytest.skip(reason)
    with ministack_engine.running(tmp_path, {}) as engine:
        client = engine.client("cloudformation")
        template = '{"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {}}}}'
        with pytest.raises(
            client.exceptions.ClientError, match=r"Unrecognized resource types: \[AWS::CloudTrail::Trail\]"
        ):
            client.create_stack(StackName="unknown", TemplateBody=template)


def test_a_stand_in_for_a_known_type_is_refused(tmp_path: Path) -> None:
    if reason := ministack_engine.why_not():
        pytest.skip(reason)
    stubs = {"AWS::S3::Bucket": ministack_engine.Stub("bucket-")}
    with (
        pytest.raises(AssertionError, match="ministack knows AWS::S3::Bucket"),
        ministack_engine.running(tmp_path, stubs),
    ):
        pass
