"""Logs of one region's pods: collected on each node, kept in CloudWatch Logs, and in OpenSearch where it is planned."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from edgemind.domain.deployment import regional_stack
from stacks import names
from stacks.base import PlannedStack
from stacks.compute import ComputeStack
from stacks.constructs.log_collector import LogCollector
from stacks.constructs.log_search import LogSearch, log_search_door
from stacks.log_groups import log_group
from stacks.network import NetworkStack
from stacks.plans import Environment

KINDS = ("application", "dataplane", "host")
"""What the collector tells apart: pods of any kind, those that a node runs for Kubernetes, and the node itself."""


class PodLogsStack(PlannedStack):
    def __init__(
        self,
        scope: Construct,
        plan: Environment,
        region: str,
        network: NetworkStack,
        compute: ComputeStack,
        logs_key: kms.IKey,
    ) -> None:
        super().__init__(
            scope, regional_stack(plan.name, region, "logs"), plan, region, "logs", f"logs of pods in {region}"
        )
        # Before the collector, which would make them without our key and keep them for ever.
        groups = [
            log_group(self, kind.capitalize(), plan, logs_key, names.pod_log_group(plan, region, kind))
            for kind in KINDS
        ]
        arns = [
            f"arn:aws:logs:{region}:{plan.account}:log-group:{names.pod_log_group(plan, region, kind)}"
            for kind in KINDS
        ]
        collector = LogCollector(self, "Collector", plan.account, compute.cluster.cluster_arn, arns)
        collector.node.add_dependency(*groups)
        host = None
        if plan.log_search is not None:
            door = log_search_door(self, plan, network.vpc, plan.region(region))
            search = LogSearch(self, "Search", plan, plan.log_search, door, logs_key, collector.role)
            host = search.host
            self.publish(
                {"LogSearch": search.collection.attr_dashboard_endpoint, "LogReaders": search.readers.role_arn}
            )
        collector.run_on(compute.cluster.cluster_name, host)
