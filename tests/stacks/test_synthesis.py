"""What `cdk synth` gives for each environment: the stacks, their names, and that nothing outside is asked."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemind.domain import deployment
from stacks.environments import ENVIRONMENTS
from stacks.zones import ZoneProfile
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import Assembly, Resource, run_app, without_network

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


# What a region's workloads stand on, and they themselves. Observability looks at them and nobody waits for it.
REGIONAL = ("security", "network", "data", "cache", "agents", "compute", "logs", "workloads")
TAGGED: dict[str, Callable[[Resource], list[dict[str, str]]]] = {
    "AWS::DynamoDB::GlobalTable": lambda properties: properties["Replicas"][0]["Tags"],
    "AWS::EKS::Cluster": lambda properties: properties["Tags"],
    "AWS::ElastiCache::ReplicationGroup": lambda properties: properties["Tags"],
    "AWS::EC2::VPC": lambda properties: properties["Tags"],
    "AWS::KMS::Key": lambda properties: properties["Tags"],
    "AWS::S3::Bucket": lambda properties: properties["Tags"],
}


def expected_stacks(tier: str) -> set[str]:
    plan = ENVIRONMENTS[tier]
    regional = {deployment.regional_stack(tier, region.name, part) for region in plan.regions for part in REGIONAL}
    sites = {deployment.site_stack(tier, site.name) for site in plan.sites}
    regional |= {deployment.regional_stack(tier, region.name, "observability") for region in plan.regions}
    return regional | sites | {f"{tier}-governance", f"{tier}-global-data"}


def before(assembly: Assembly, stack: str) -> set[str]:
    """Every stack that is deployed before this one."""
    found: set[str] = set()
    waiting = [stack]
    while waiting:
        for name in assembly.stacks.get(waiting.pop(), {}).get("dependencies", ()):
            if name in assembly.stacks and name not in found:
                found.add(name)
                waiting.append(name)
    return found


def test_there_is_every_stack_and_no_other(synthesized: Synthesized, tier: str) -> None:
    assembly = synthesized(tier)
    assert set(assembly.stacks) == expected_stacks(tier)
    assert len(assembly.stacks) == {"staging": 14, "production": 30}[tier]
    for name, entry in assembly.stacks.items():
        assert entry["properties"].get("stackName", name) == name
        assert entry["displayName"] == name


def test_nothing_had_to_be_looked_up(synthesized: Synthesized, tier: str) -> None:
    assert "missing" not in synthesized(tier).manifest


def test_the_app_runs_where_there_is_no_network() -> None:
    """The prefix that every synthesis of these tests runs behind: a connection fails there for want of a network."""
    prefix = without_network()
    if not prefix:
        pytest.skip("platform: this machine gives no network namespaces")
    connect = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=1)"
    tried = subprocess.run([*prefix, sys.executable, "-c", connect], capture_output=True, text=True, check=False)
    assert tried.returncode != 0
    assert "Network is unreachable" in tried.stderr


def test_stacks_wait_for_what_they_use(synthesized: Synthesized, tier: str) -> None:
    assembly, plan = synthesized(tier), ENVIRONMENTS[tier]
    for region in plan.regions:
        workloads = before(assembly, deployment.regional_stack(tier, region.name, "workloads"))
        needed = {deployment.regional_stack(tier, region.name, part) for part in REGIONAL[:-1]}
        assert workloads >= needed | {deployment.site_stack(tier, site.name) for site in plan.sites_in(region.name)}
        # The replicas of global tables are encrypted with the key of their own region.
        assert deployment.regional_stack(tier, region.name, "security") in before(assembly, f"{tier}-global-data")
    if plan.standby is not None:
        standby, primary = (deployment.regional_stack(tier, name, "data") for name in (plan.standby, plan.primary))
        assert standby in before(assembly, primary)


def test_what_is_stored_is_kept_where_the_environment_is_protected(synthesized: Synthesized, tier: str) -> None:
    assembly, protected = synthesized(tier), ENVIRONMENTS[tier].protected
    for kind in ("AWS::BedrockAgentCore::Memory", "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::KMS::Key"):
        for _, logical_id, resource in assembly.resources(kind):
            assert resource["DeletionPolicy"] == ("Retain" if protected else "Delete"), logical_id
    for name, entry in assembly.stacks.items():
        holds_data = name.rsplit("-", 1)[1] in ("agents", "data", "security", "compute", "governance")
        assert bool(entry["properties"].get("terminationProtection")) is (protected and holds_data), name


def test_agents_remember_under_the_regions_key_and_only_production_learns(synthesized: Synthesized, tier: str) -> None:
    assembly, plan = synthesized(tier), ENVIRONMENTS[tier]
    memories = [resource["Properties"] for *_, resource in assembly.resources("AWS::BedrockAgentCore::Memory")]
    assert len(memories) == len(plan.regions)
    for memory in memories:
        assert "DataKey" in str(memory["EncryptionKeyArn"])
        assert memory["EventExpiryDuration"] == plan.memory.days
        strategies = {kind for strategy in memory.get("MemoryStrategies", ()) for kind in strategy}
        expected = {"SemanticMemoryStrategy", "SummaryMemoryStrategy"} if tier == "production" else set()
        assert strategies == expected


def test_the_proxy_calls_its_models_through_their_profile_and_no_other(synthesized: Synthesized, tier: str) -> None:
    plan = ENVIRONMENTS[tier]
    for stack, _, policy in synthesized(tier).resources("AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "bedrock:InvokeModel" not in statement["Action"]:
                continue
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            region = stack.removeprefix(f"{tier}-").removesuffix("-compute")
            profiles = [
                f"arn:aws:bedrock:{region}:{plan.account}:inference-profile/{m.profile}" for m in plan.cloud.models
            ]
            if "Condition" in statement:
                assert statement["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"] in profiles
                assert all("::foundation-model/" in arn and "*" not in arn for arn in resources)
            else:
                assert set(resources) <= set(profiles)


def test_buckets_are_closed_versioned_and_logged(synthesized: Synthesized, tier: str) -> None:
    for _, logical_id, bucket in synthesized(tier).resources("AWS::S3::Bucket"):
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, logical_id
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert "LoggingConfiguration" in properties or logical_id.startswith("LogBucket")


def test_models_tier_themselves_and_go_to_the_standby(synthesized: Synthesized, tier: str) -> None:
    plan = ENVIRONMENTS[tier]
    for stack, _, bucket in synthesized(tier).resources("AWS::S3::Bucket"):
        if not stack.endswith("-data"):
            continue
        (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        assert rule["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]
        replicated = bucket["Properties"].get("ReplicationConfiguration")
        assert (replicated is not None) is (plan.standby is not None and plan.primary in stack)
        if replicated is not None:
            (rule,) = replicated["Rules"]
            assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::edgemind-{tier}-models-{plan.account}-{plan.standby}"


def test_global_tables_are_in_every_region_and_the_swarm_in_its_own(synthesized: Synthesized, tier: str) -> None:
    plan = ENVIRONMENTS[tier]
    for stack, _, table in synthesized(tier).resources("AWS::DynamoDB::GlobalTable"):
        regions = [replica["Region"] for replica in table["Properties"]["Replicas"]]
        if stack.endswith("global-data"):
            assert sorted(regions) == sorted(region.name for region in plan.regions)
        else:
            assert len(regions) == 1
            assert regions[0] in stack


def test_every_kind_of_stored_thing_tells_its_environment(synthesized: Synthesized, tier: str) -> None:
    for kind, tags_of in TAGGED.items():
        found = list(synthesized(tier).resources(kind))
        assert found, kind
        for stack, logical_id, resource in found:
            tags = {tag["Key"]: tag["Value"] for tag in tags_of(resource["Properties"])}
            assert tags["edgemind:environment"] == tier, (stack, logical_id)
            assert {"edgemind:project", "edgemind:part", "edgemind:region"} <= tags.keys()


def test_the_network_has_no_way_in_or_out(synthesized: Synthesized, tier: str) -> None:
    assembly = synthesized(tier)
    for kind in ("InternetGateway", "NatGateway", "EIP", "EgressOnlyInternetGateway"):
        assert not list(assembly.resources(f"AWS::EC2::{kind}"))
    for _, logical_id, group in assembly.resources("AWS::EC2::SecurityGroup"):
        for rule in group["Properties"].get("SecurityGroupIngress", ()):
            assert rule.get("CidrIp") != "0.0.0.0/0", logical_id
    wavelength = [site for site in ENVIRONMENTS[tier].sites if site.profile is ZoneProfile.WAVELENGTH]
    assert len(list(assembly.resources("AWS::EC2::CarrierGateway"))) == len(wavelength)


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
