"""A group of nodes in the region, spread over its availability zones and kept by AWS at a fixed number."""

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from stacks.constructs.node_parts import node_role, root_volume
from stacks.plans import ClusterPlan


class NodeGroup(Construct):
    def __init__(self, scope: Construct, name: str, plan: ClusterPlan, cluster: eks.ICluster) -> None:
        super().__init__(scope, name)
        template = ec2.LaunchTemplate(
            self,
            "Template",
            # No security group: EKS gives nodes the cluster's own.
            require_imdsv2=True,
            # Pods must not reach the node's credentials through the metadata service.
            http_put_response_hop_limit=1,
            block_devices=[root_volume("gp3", plan.volume_gib)],
            detailed_monitoring=True,
        )
        self.group = eks.Nodegroup(
            self,
            "Group",
            cluster=cluster,
            node_role=node_role(self, "Role"),
            ami_type=eks.NodegroupAmiType.AL2023_X86_64_STANDARD,
            instance_types=[ec2.InstanceType(plan.instance_type)],
            launch_template_spec=eks.LaunchTemplateSpec(
                id=template.launch_template_id or "", version=template.latest_version_number
            ),
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            min_size=plan.nodes,
            desired_size=plan.nodes,
            max_size=plan.nodes + 1,
            max_unavailable=1,
            enable_node_auto_repair=True,
        )
        Tags.of(self.group).add("edgemind:nodes", "general")
