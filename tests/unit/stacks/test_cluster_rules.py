"""Each of our rules for clusters and nodes, broken once."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stacks.cluster_rules import LOG_TYPES, RULES, cluster_findings

Properties = dict[str, Any]

SOUND: dict[str, Properties] = {
    "AWS::EKS::Cluster": {
        "Version": "1.35",
        "ResourcesVpcConfig": {"EndpointPublicAccess": False, "EndpointPrivateAccess": True},
        "Logging": {"ClusterLogging": {"EnabledTypes": [{"Type": name} for name in sorted(LOG_TYPES)]}},
        "EncryptionConfig": [{"Resources": ["secrets"], "Provider": {"KeyArn": {"Fn::ImportValue": "key"}}}],
        "AccessConfig": {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False},
    },
    "AWS::EKS::Nodegroup": {"LaunchTemplate": {"Id": "lt", "Version": "1"}},
    "AWS::AutoScaling::AutoScalingGroup": {"LaunchTemplate": {"LaunchTemplateId": "lt", "Version": "1"}},
    "AWS::EC2::LaunchTemplate": {
        "LaunchTemplateData": {
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}],
        }
    },
    "AWS::EC2::Subnet": {"MapPublicIpOnLaunch": False},
}


def findings(kind: str, properties: Properties) -> list[str]:
    return cluster_findings({"Resources": {"It": {"Type": kind, "Properties": properties}}})


def at(properties: Properties, *path: str | int) -> Any:
    for step in path:
        properties = properties[step]  # type: ignore[index]
    return properties


BREAKS: list[tuple[str, str, Callable[[Properties], object]]] = [
    ("AWS::EKS::Cluster", "from the internet", lambda p: p["ResourcesVpcConfig"].update(EndpointPublicAccess=True)),
    ("AWS::EKS::Cluster", "from the internet", lambda p: p["ResourcesVpcConfig"].pop("EndpointPublicAccess")),
    ("AWS::EKS::Cluster", "from the network", lambda p: p["ResourcesVpcConfig"].update(EndpointPrivateAccess=False)),
    (
        "AWS::EKS::Cluster",
        "does not log api",
        lambda p: at(p, "Logging", "ClusterLogging", "EnabledTypes").pop(0),
    ),
    ("AWS::EKS::Cluster", "does not log api, audit, authenticator", lambda p: p.pop("Logging")),
    ("AWS::EKS::Cluster", "not encrypted with a key", lambda p: p.pop("EncryptionConfig")),
    ("AWS::EKS::Cluster", "not encrypted with a key", lambda p: at(p, "EncryptionConfig", 0).update(Resources=[])),
    ("AWS::EKS::Cluster", "not encrypted with a key", lambda p: at(p, "EncryptionConfig", 0).update(Provider={})),
    ("AWS::EKS::Cluster", "1.27 is not in standard support", lambda p: p.update(Version="1.27")),
    ("AWS::EKS::Cluster", "None is not in standard support", lambda p: p.pop("Version")),
    ("AWS::EKS::Cluster", "also managed inside", lambda p: p["AccessConfig"].update(AuthenticationMode="CONFIG_MAP")),
    ("AWS::EKS::Cluster", "stays its administrator", lambda p: p.update(AccessConfig={"AuthenticationMode": "API"})),
    ("AWS::EKS::Nodegroup", "without our launch template", lambda p: p.pop("LaunchTemplate")),
    ("AWS::EKS::Nodegroup", "by SSH", lambda p: p.update(RemoteAccess={"Ec2SshKey": "mine"})),
    ("AWS::AutoScaling::AutoScalingGroup", "without our launch template", lambda p: p.pop("LaunchTemplate")),
    (
        "AWS::EC2::LaunchTemplate",
        "without a token",
        lambda p: at(p, "LaunchTemplateData", "MetadataOptions").update(HttpTokens="optional"),
    ),
    (
        "AWS::EC2::LaunchTemplate",
        "pods reach the node's credentials",
        lambda p: at(p, "LaunchTemplateData", "MetadataOptions").update(HttpPutResponseHopLimit=2),
    ),
    (
        "AWS::EC2::LaunchTemplate",
        "/dev/xvda is not encrypted",
        lambda p: at(p, "LaunchTemplateData", "BlockDeviceMappings", 0, "Ebs").pop("Encrypted"),
    ),
    ("AWS::EC2::LaunchTemplate", "declare it", lambda p: p["LaunchTemplateData"].pop("BlockDeviceMappings")),
    (
        "AWS::EC2::LaunchTemplate",
        "public or carrier address",
        lambda p: p["LaunchTemplateData"].update(NetworkInterfaces=[{"AssociateCarrierIpAddress": True}]),
    ),
    (
        "AWS::EC2::LaunchTemplate",
        "public or carrier address",
        lambda p: p["LaunchTemplateData"].update(NetworkInterfaces=[{"AssociatePublicIpAddress": True}]),
    ),
    ("AWS::EC2::Subnet", "public address", lambda p: p.update(MapPublicIpOnLaunch=True)),
]


@pytest.mark.parametrize("kind", RULES)
def test_what_is_sound_has_no_finding(kind: str) -> None:
    assert findings(kind, SOUND[kind]) == []


@pytest.mark.parametrize(("kind", "says", "spoil"), BREAKS, ids=[f"{kind}-{says}" for kind, says, _ in BREAKS])
def test_each_rule_finds_what_breaks_it(kind: str, says: str, spoil: Callable[[Properties], object]) -> None:
    properties = copy.deepcopy(SOUND[kind])
    spoil(properties)
    (finding,) = findings(kind, properties)
    assert finding.startswith("It: ")
    assert says in finding


def test_every_finding_is_told_at_once() -> None:
    assert len(findings("AWS::EKS::Cluster", {})) == len(RULES["AWS::EKS::Cluster"]) + 2


def test_a_template_without_resources_has_no_finding() -> None:
    assert cluster_findings({}) == []
