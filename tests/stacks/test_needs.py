"""What the preflight is told of an environment agrees with what its templates make."""

import json
import subprocess
import sys
from collections import Counter

import pytest

from edgemind.domain.deployment_needs import DeploymentNeeds, Quota
from edgemind.errors import ConfigurationError
from stacks.environments import ENVIRONMENTS, STAGING
from stacks.needs import BOOTSTRAP_VERSION, needs_of, vcpus_of
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import ROOT, Assembly


@pytest.mark.parametrize(
    ("instance_type", "vcpus"), [("m7i.large", 2), ("t3.xlarge", 4), ("g4dn.2xlarge", 8), ("c5.4xlarge", 16)]
)
def test_vcpus_follow_from_the_size(instance_type: str, vcpus: int) -> None:
    assert vcpus_of(instance_type) == vcpus


def test_an_instance_type_beyond_the_rule_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="m7i"):
        vcpus_of("m7i.metal-24xl")


def tell(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stacks.needs", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_is_told_as_the_library_reads_it() -> None:
    told = tell("-c", "env=staging", "-c", "account=123456789012")
    needs = DeploymentNeeds.read(json.loads(told.stdout))
    assert needs.account == "123456789012"
    assert needs.regions == needs_of(STAGING).regions
    assert needs.regions[0].zones == ("eu-central-1-ham-1a", "eu-central-1-wl1-ber-wlz-1")


def test_a_wrong_request_is_refused_as_the_app_refuses_it() -> None:
    told = tell("-c", "env=prod", "-c", "account=12")
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr.splitlines()[0] == "-c env: there is no environment 'prod'; legal: staging, production"
    assert "12 digits" in told.stderr


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_it_needs_neither_node_nor_the_cdk(name: str) -> None:
    script = "import sys, stacks.needs; sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0, name


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_quotas_cover_what_the_templates_make(synthesized: Synthesized, tier: str) -> None:
    plan, assembly = ENVIRONMENTS[tier], synthesized(tier)
    for needs in needs_of(plan).regions:
        made = counted(assembly, needs.region)
        if plan.cluster.auto_scaling:
            # No template has these nodes.
            made[Quota.STANDARD_VCPUS] += (plan.cluster.nodes + 1) * vcpus_of(plan.cluster.instance_type)
        made[Quota.STANDARD_SPOT_VCPUS] = plan.cluster.spot_cpu_limit
        made[Quota.FARGATE_VCPUS] = needs.quotas.get(Quota.FARGATE_VCPUS, 0)
        assert dict(needs.quotas) == {quota: count for quota, count in made.items() if count}


def counted(assembly: Assembly, region: str) -> Counter[Quota]:
    """What the stacks of one region make, by the quota that it stands against."""
    made: Counter[Quota] = Counter()
    for name, template in assembly.templates.items():
        if not assembly.stacks[name]["environment"].endswith(f"/{region}"):
            continue
        resources = template["Resources"]
        for resource in resources.values():
            properties = resource.get("Properties", {})
            match resource["Type"]:
                case "AWS::EC2::VPC":
                    made[Quota.VPCS] += 1
                case "AWS::EC2::EIP":
                    made[Quota.ELASTIC_IPS] += 1
                case "AWS::EKS::Nodegroup":
                    [kind] = properties["InstanceTypes"]
                    made[Quota.STANDARD_VCPUS] += properties["ScalingConfig"]["MaxSize"] * vcpus_of(kind)
                case "AWS::AutoScaling::AutoScalingGroup":
                    template_id = properties["LaunchTemplate"]["LaunchTemplateId"]["Ref"]
                    kind = resources[template_id]["Properties"]["LaunchTemplateData"]["InstanceType"]
                    quota = Quota.GPU_VCPUS if kind.startswith("g") else Quota.STANDARD_VCPUS
                    made[quota] += int(properties["MaxSize"]) * vcpus_of(kind)
    return made


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_bootstrap_that_is_asked_for_is_the_one_that_the_assemblies_want(
    synthesized: Synthesized, tier: str
) -> None:
    wanted = {
        entry["properties"]["requiresBootstrapStackVersion"]
        for entry in synthesized(tier).manifest["artifacts"].values()
        if "requiresBootstrapStackVersion" in entry.get("properties", {})
    }
    assert max(wanted) == BOOTSTRAP_VERSION
