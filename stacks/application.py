"""The whole app: which stacks an environment has, what each is given, and in which order they are deployed."""

from aws_cdk import App, Tags

from stacks.cache import CacheStack
from stacks.compute import ComputeStack
from stacks.data import DataStack
from stacks.environments import Environment
from stacks.global_data import GlobalDataStack
from stacks.network import NetworkStack
from stacks.security import SecurityStack


def build(app: App, plan: Environment) -> None:
    Tags.of(app).add("edgemind:project", "edgemind")
    regions = [region.name for region in plan.regions]
    security = {region: SecurityStack(app, plan, region) for region in regions}
    network = {region: NetworkStack(app, plan, region, security[region].logs_key) for region in regions}
    data = {
        region: DataStack(app, plan, region, security[region].data_key, _copies(plan, region)) for region in regions
    }
    global_data = GlobalDataStack(app, plan, security[plan.primary].data_key)
    # Across regions nothing is referred to but by name, so the order has to be said.
    for region in regions:
        data[region].add_stack_dependency(security[region], "access logs go to its bucket")
        for copy in _copies(plan, region):
            data[region].add_stack_dependency(data[copy], "models are copied to its bucket")
        global_data.add_stack_dependency(security[region], "replicas use its key")
    for region in regions:
        CacheStack(app, plan, region, network[region], security[region])
    compute = {
        region: ComputeStack(app, plan, region, network[region], security[region], data[region]) for region in regions
    }


def _copies(plan: Environment, region: str) -> list[str]:
    """Where the models of a region are copied to: the standby has what the primary has."""
    return [plan.standby] if plan.standby is not None and region == plan.primary else []
