"""Our own rules for clusters and nodes, which the rule packs do not see, on what is really synthesized."""

import pytest

from stacks.cluster_rules import cluster_findings
from stacks.constructs.pod_roles import COMPONENTS
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_no_finding_in_any_template(synthesized: Synthesized, tier: str) -> None:
    findings = {name: cluster_findings(template) for name, template in synthesized(tier).templates.items()}
    assert {name: found for name, found in findings.items() if found} == {}


def test_there_are_clusters_and_nodes_to_find_fault_with(synthesized: Synthesized, tier: str) -> None:
    assembly, plan = synthesized(tier), ENVIRONMENTS[tier]
    edge = [site for site in plan.sites if site.nodes is not None]
    assert len(list(assembly.resources("AWS::EKS::Cluster"))) == len(plan.regions)
    assert len(list(assembly.resources("AWS::AutoScaling::AutoScalingGroup"))) == len(edge)
    assert len(list(assembly.resources("AWS::EC2::LaunchTemplate"))) >= len(edge)


def test_staging_has_three_nodes_and_production_scales(synthesized: Synthesized) -> None:
    ((_, _, group),) = synthesized("staging").resources("AWS::EKS::Nodegroup")
    assert group["Properties"]["ScalingConfig"]["DesiredSize"] == 3
    assert len(group["Properties"]["Subnets"]) == 3
    production = synthesized("production")
    for _, _, cluster in production.resources("AWS::EKS::Cluster"):
        assert cluster["Properties"]["ComputeConfig"]["Enabled"] is True
        assert len(cluster["Properties"]["ResourcesVpcConfig"]["SubnetIds"]) == 3
    assert len(list(production.resources("AWS::EKS::FargateProfile"))) == 2
    manifests = [str(found["Properties"]["Manifest"]) for *_, found in production.resources(MANIFEST)]
    assert sum("karpenter.sh/capacity-type" in text and "spot" in text for text in manifests) == 2


def test_each_component_of_each_site_has_its_role_and_no_other(synthesized: Synthesized, tier: str) -> None:
    associations = [
        (
            found["Properties"]["Namespace"],
            found["Properties"]["ServiceAccount"],
            str(found["Properties"]["RoleArn"]),
        )
        for *_, found in synthesized(tier).resources("AWS::EKS::PodIdentityAssociation")
    ]
    sites = {f"edgemind-{site.name}" for site in ENVIRONMENTS[tier].sites}
    assert {namespace for namespace, *_ in associations} == sites
    assert len(associations) == len(COMPONENTS) * len(sites)
    for _, account, role in associations:
        component = account.removeprefix("edgemind-").title().replace("-", "")
        assert f"Pods{component}" in role


MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
