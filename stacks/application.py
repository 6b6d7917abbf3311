"""The whole app: which stacks an environment has, what each is given, and in which order they are deployed."""

from dataclasses import dataclass

from aws_cdk import App

from stacks.agents import AgentsStack
from stacks.cache import CacheStack
from stacks.compute import ComputeStack
from stacks.data import DataStack
from stacks.global_data import GlobalDataStack
from stacks.governance import GovernanceStack
from stacks.mec_site import MecSiteStack
from stacks.network import NetworkStack
from stacks.observability import ObservabilityStack
from stacks.plans import Environment
from stacks.pod_logs import PodLogsStack
from stacks.security import SecurityStack
from stacks.workloads import WorkloadsStack


@dataclass(frozen=True, slots=True)
class Region:
    """The stacks that each region has."""

    security: SecurityStack
    network: NetworkStack
    data: DataStack
    cache: CacheStack
    agents: AgentsStack
    compute: ComputeStack
    logs: PodLogsStack
    workloads: WorkloadsStack
    observability: ObservabilityStack


def build(app: App, plan: Environment, image: str | None = None) -> None:
    regions = {region.name: _region(app, plan, region.name, image) for region in plan.regions}
    primary = regions[plan.primary]
    governance = GovernanceStack(app, plan)
    global_data = GlobalDataStack(app, plan, primary.security.data_key)
    # Across regions nothing is referred to but by name, so the order has to be said.
    governance.add_stack_dependency(primary.security, "access logs go to its bucket")
    for region in regions.values():
        global_data.add_stack_dependency(region.security, "replicas use its key")
    if plan.standby is not None:
        primary.data.add_stack_dependency(regions[plan.standby].data, "models are copied to its bucket")


def _region(app: App, plan: Environment, region: str, image: str | None) -> Region:
    security = SecurityStack(app, plan, region)
    network = NetworkStack(app, plan, region, security.logs_key)
    copies = [plan.standby] if plan.standby is not None and region == plan.primary else []
    data = DataStack(app, plan, region, security.data_key, copies)
    data.add_stack_dependency(security, "access logs go to its bucket")
    cache = CacheStack(app, plan, region, network, security)
    agents = AgentsStack(app, plan, region, security.data_key)
    compute = ComputeStack(app, plan, region, network, security, data, agents)
    logs = PodLogsStack(app, plan, region, network, compute, security.logs_key)
    workloads = WorkloadsStack(app, plan, region, compute, image)
    workloads.add_stack_dependency(logs, "what pods say when they start is collected, too")
    workloads.add_stack_dependency(cache, "controllers ask it")
    observability = ObservabilityStack(app, plan, region, security.logs_key)
    workloads.add_stack_dependency(observability, "controllers write to its log group")
    for site in plan.sites_in(region):
        workloads.add_stack_dependency(
            MecSiteStack(app, plan, site, network, compute), "its nodes and roles are those of the site's pods"
        )
    return Region(security, network, data, cache, agents, compute, logs, workloads, observability)
