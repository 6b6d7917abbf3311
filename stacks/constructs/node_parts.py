"""What all nodes have in common: who they are, and how their machines start."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

AUTO_NODE_POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
"""For nodes that AWS itself starts and stops."""
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")
"""AWS keeps these up to date with what a node does; pods have roles of their own and none of these rights."""
VOLUMES = {"gp2": ec2.EbsDeviceVolumeType.GP2, "gp3": ec2.EbsDeviceVolumeType.GP3, "io2": ec2.EbsDeviceVolumeType.IO2}


def node_role(scope: Construct, name: str, policies: Sequence[str] = NODE_POLICIES) -> iam.Role:
    return iam.Role(
        scope,
        name,
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        description="A node of the cluster",
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy) for policy in policies],
    )


def root_volume(volume_type: str, size_gib: int) -> ec2.BlockDevice:
    return ec2.BlockDevice(
        device_name="/dev/xvda",
        volume=ec2.BlockDeviceVolume.ebs(size_gib, encrypted=True, volume_type=VOLUMES[volume_type]),
    )
