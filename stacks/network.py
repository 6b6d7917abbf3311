"""Network of one region: the private network, and who may talk to whom inside it."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain.deployment import regional_stack
from stacks.base import PlannedStack
from stacks.constructs.private_network import PrivateNetwork
from stacks.plans import Environment

CACHE_PORT = 6380
"""Not Valkey's usual port: scanners look there first."""


class NetworkStack(PlannedStack):
    """`cache` is the security group of the cache; nothing is let in yet."""

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
        # The cluster's security group is let in where the cluster is made.
        self.cache = ec2.SecurityGroup(
            self, "Cache", vpc=self.vpc, description="Valkey: from nodes and pods only", allow_all_outbound=False
        )
