"""Cache of one region: Valkey, reached by nodes only."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from edgemind.domain import deployment
from stacks.base import PlannedStack
from stacks.constructs.valkey import Valkey
from stacks.network import CACHE_PORT, NetworkStack
from stacks.plans import Environment
from stacks.security import SecurityStack


class CacheStack(PlannedStack):
    def __init__(
        self, scope: Construct, plan: Environment, region: str, network: NetworkStack, security: SecurityStack
    ) -> None:
        super().__init__(
            scope,
            deployment.regional_stack(plan.name, region, deployment.CACHE),
            plan,
            region,
            deployment.CACHE,
            f"Valkey in {region}",
        )
        subnets = network.vpc.select_subnets(
            subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, availability_zones=list(plan.region(region).cache_zones)
        ).subnets
        keys = (security.data_key, security.logs_key)
        valkey = Valkey(self, "Valkey", plan, subnets, network.cache, keys, CACHE_PORT)
        self.publish({deployment.CACHE_ENDPOINT: valkey.endpoint})
