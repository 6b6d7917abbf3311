"""Rules for clusters and nodes over finished templates: the rule packs do not see clusters of the CDK's newer module.

Pure: a template comes in as parsed JSON, findings go out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stacks.environment_checks import KUBERNETES_VERSIONS

Resource = Mapping[str, Any]
Rule = Callable[[Resource], Iterator[str]]
LOG_TYPES = frozenset({"api", "audit", "authenticator", "controllerManager", "scheduler"})


def cluster_findings(template: Mapping[str, Any]) -> list[str]:
    """`LogicalId: what is wrong` for each finding; empty if there is none."""
    return [
        f"{logical_id}: {finding}"
        for logical_id, resource in template.get("Resources", {}).items()
        for rule in RULES.get(resource["Type"], ())
        for finding in rule(resource.get("Properties", {}))
    ]


def _endpoint_is_private(cluster: Resource) -> Iterator[str]:
    network = cluster.get("ResourcesVpcConfig", {})
    if network.get("EndpointPublicAccess") is not False:
        yield "the API server can be reached from the internet; set EndpointPublicAccess to false"
    if network.get("EndpointPrivateAccess") is not True:
        yield "the API server cannot be reached from the network; set EndpointPrivateAccess to true"


def _everything_is_logged(cluster: Resource) -> Iterator[str]:
    enabled = cluster.get("Logging", {}).get("ClusterLogging", {}).get("EnabledTypes", [])
    missing = LOG_TYPES - {entry.get("Type") for entry in enabled}
    if missing:
        yield f"the control plane does not log {', '.join(sorted(missing))}"


def _secrets_are_encrypted(cluster: Resource) -> Iterator[str]:
    for entry in cluster.get("EncryptionConfig", []):
        if "secrets" in entry.get("Resources", []) and entry.get("Provider", {}).get("KeyArn"):
            return
    yield "Kubernetes secrets are not encrypted with a key of ours; set EncryptionConfig"


def _version_is_supported(cluster: Resource) -> Iterator[str]:
    version = cluster.get("Version")
    if version not in KUBERNETES_VERSIONS:
        yield f"Kubernetes {version} is not in standard support; legal: {', '.join(KUBERNETES_VERSIONS)}"


def _nobody_is_admin_by_creation(cluster: Resource) -> Iterator[str]:
    access = cluster.get("AccessConfig", {})
    if access.get("AuthenticationMode") != "API":
        yield "access is also managed inside the cluster; set AuthenticationMode to API"
    if access.get("BootstrapClusterCreatorAdminPermissions") is not False:
        yield "its creator stays its administrator; set BootstrapClusterCreatorAdminPermissions to false"


def _metadata_needs_a_token(template: Resource) -> Iterator[str]:
    options = template.get("LaunchTemplateData", {}).get("MetadataOptions", {})
    if options.get("HttpTokens") != "required":
        yield "the metadata service answers without a token; set HttpTokens to required (IMDSv2)"
    if options.get("HttpPutResponseHopLimit") != 1:
        yield "pods reach the node's credentials; set HttpPutResponseHopLimit to 1"


def _volumes_are_encrypted(template: Resource) -> Iterator[str]:
    devices = template.get("LaunchTemplateData", {}).get("BlockDeviceMappings", [])
    if not devices:
        yield "the root volume is the image's, encrypted or not; declare it"
    for device in devices:
        if device.get("Ebs", {}).get("Encrypted") is not True:
            yield f"volume {device.get('DeviceName')} is not encrypted"


def _node_is_not_public(template: Resource) -> Iterator[str]:
    for interface in template.get("LaunchTemplateData", {}).get("NetworkInterfaces", []):
        if interface.get("AssociatePublicIpAddress") or interface.get("AssociateCarrierIpAddress"):
            yield "nodes get a public or carrier address"


def _subnet_gives_no_public_address(subnet: Resource) -> Iterator[str]:
    if subnet.get("MapPublicIpOnLaunch"):
        yield "what starts in this subnet gets a public address; set MapPublicIpOnLaunch to false"


def _group_has_a_template(group: Resource) -> Iterator[str]:
    if not group.get("LaunchTemplate"):
        yield "nodes start without our launch template, so with the metadata service and volumes of the default"


def _no_remote_login(group: Resource) -> Iterator[str]:
    if group.get("RemoteAccess"):
        yield "nodes admit logins by SSH; leave RemoteAccess out and use Session Manager"


RULES: Mapping[str, tuple[Rule, ...]] = {
    "AWS::EKS::Cluster": (
        _endpoint_is_private,
        _everything_is_logged,
        _secrets_are_encrypted,
        _version_is_supported,
        _nobody_is_admin_by_creation,
    ),
    "AWS::EKS::Nodegroup": (_group_has_a_template, _no_remote_login),
    "AWS::AutoScaling::AutoScalingGroup": (_group_has_a_template,),
    "AWS::EC2::LaunchTemplate": (_metadata_needs_a_token, _volumes_are_encrypted, _node_is_not_public),
    "AWS::EC2::Subnet": (_subnet_gives_no_public_address,),
}
"""The rules of each CloudFormation type."""
