"""Nodes of a site in an edge zone. AWS manages no node groups there, so these join the cluster by themselves."""

from dataclasses import dataclass

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.node_parts import root_volume
from stacks.names import SITE_LABEL
from stacks.plans import SiteNodes, SitePlan


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """What a node has to know of the cluster that it joins."""

    name: str
    version: str
    endpoint: str
    certificate: str
    service_cidr: str
    security_group_id: str


class EdgeNodes(Construct):
    """A fixed number of them: a group that replaces what dies."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        site: SitePlan,
        nodes: SiteNodes,
        subnet_id: str,
        cluster: ClusterAddress,
        profile: iam.InstanceProfile,
    ) -> None:
        super().__init__(scope, name)
        template = ec2.LaunchTemplate(
            self,
            "Template",
            machine_image=ec2.MachineImage.from_ssm_parameter(_image(nodes.instance_type, cluster.version)),
            instance_type=ec2.InstanceType(nodes.instance_type),
            instance_profile=profile,
            user_data=_user_data(site, cluster),
            require_imdsv2=True,
            # Pods must not reach the node's credentials through the metadata service.
            http_put_response_hop_limit=1,
            block_devices=[root_volume(nodes.volume_type, nodes.volume_gib)],
            detailed_monitoring=True,
        )
        resource = template.node.default_child
        assert isinstance(resource, ec2.CfnLaunchTemplate)
        resource.add_property_override("LaunchTemplateData.SecurityGroupIds", [cluster.security_group_id])
        tags = {"Name": f"edgemind-{site.name}", f"kubernetes.io/cluster/{cluster.name}": "owned"}
        autoscaling.CfnAutoScalingGroup(
            self,
            "Group",
            min_size=str(nodes.count),
            max_size=str(nodes.count + 1),
            desired_capacity=str(nodes.count),
            vpc_zone_identifier=[subnet_id],
            launch_template=autoscaling.CfnAutoScalingGroup.LaunchTemplateSpecificationProperty(
                launch_template_id=template.launch_template_id, version=template.latest_version_number
            ),
            health_check_type="EC2",
            health_check_grace_period=300,
            cooldown="300",
            tags=[
                autoscaling.CfnAutoScalingGroup.TagPropertyProperty(key=key, value=value, propagate_at_launch=True)
                for key, value in tags.items()
            ],
        )


def _image(instance_type: str, version: str) -> str:
    """The parameter in which AWS keeps the newest image for nodes of this kind."""
    variant = "nvidia" if instance_type.startswith("g") else "standard"
    return f"/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/x86_64/{variant}/recommended/image_id"


def _user_data(site: SitePlan, cluster: ClusterAddress) -> ec2.MultipartUserData:
    """What a node of Amazon Linux 2023 reads: the cluster, and a label and a taint that keep it for its site.

    The taint only discourages: the agents that AWS runs on every node do not all tolerate one that forbids.
    """
    text = "\n".join(
        (
            "apiVersion: node.eks.aws/v1alpha1",
            "kind: NodeConfig",
            "spec:",
            "  cluster:",
            f"    name: {cluster.name}",
            f"    apiServerEndpoint: {cluster.endpoint}",
            f"    certificateAuthority: {cluster.certificate}",
            f"    cidr: {cluster.service_cidr}",
            "  kubelet:",
            "    flags:",
            f"      - --node-labels={SITE_LABEL}={site.name},edgemind.io/zone-profile={site.profile}",
            f"      - --register-with-taints={SITE_LABEL}={site.name}:PreferNoSchedule",
        )
    )
    data = ec2.MultipartUserData()
    data.add_part(ec2.MultipartBody.from_raw_body(content_type="application/node.eks.aws", body=text))
    return data
