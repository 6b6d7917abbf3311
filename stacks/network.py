"""Network of one region: the private network, and who may talk to whom inside it."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain.deployment import regional_stack
from stacks.base import PlannedStack
from stacks.constructs.private_network import HTTPS, PrivateNetwork
from stacks.environments import Environment

CACHE_PORT = 6380
"""Not Valkey's usual port: scanners look there first."""


class NetworkStack(PlannedStack):
    """`nodes` is the security group of every node, in the region and at the edge; `cache` admits nodes only."""

    def __init__(self, scope: Construct, plan: Environment, region: str, logs_key: kms.IKey) -> None:
        super().__init__(
            scope,
            regional_stack(plan.name, region, "network"),
            plan,
            region,
            "network",
            f"private network in {region}",
        )
        network = PrivateNetwork(self, "Network", plan, plan.region(region), logs_key)
        self.vpc, self.acl = network.vpc, network.acl
        self.gateway_endpoints = (network.s3, network.dynamodb)
        self.nodes = self._nodes()
        self.cache = ec2.SecurityGroup(
            self, "Cache", vpc=self.vpc, description="Valkey: from nodes only", allow_all_outbound=False
        )
        self.cache.add_ingress_rule(self.nodes, ec2.Port.tcp(CACHE_PORT), "Valkey over TLS from nodes")

    def _nodes(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Nodes", vpc=self.vpc, description="Nodes: each other, the network, HTTPS", allow_all_outbound=False
        )
        inside = ec2.Peer.ipv4(self.vpc.vpc_cidr_block)
        group.add_ingress_rule(group, ec2.Port.all_traffic(), "Nodes and pods of all sites")
        group.add_egress_rule(inside, ec2.Port.all_traffic(), "Nodes, control plane, cache, endpoints")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "S3 and DynamoDB have public addresses")
        return group
