"""What an environment costs a month: every priced resource of its templates, and what is assumed of its use.

`stacks/cost_table.py` prints it and keeps it in the docs.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.domain.monitoring.emf import metrics_billed
from stacks.plans import Environment

Template = Mapping[str, Any]
PRICES = Path(__file__).with_name("prices.toml")

FREE = frozenset({
    # Nothing is charged for it, or what it brings is charged elsewhere.
    "AWS::AutoScaling::AutoScalingGroup", "AWS::Budgets::Budget", "AWS::CDK::Metadata", "AWS::CloudTrail::Trail",
    "AWS::EC2::CarrierGateway", "AWS::EC2::FlowLog", "AWS::EC2::LaunchTemplate", "AWS::EC2::NetworkAcl",
    "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet", "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::EKS::AccessEntry", "AWS::EKS::Addon",
    "AWS::EKS::PodIdentityAssociation", "AWS::ElastiCache::SubnetGroup", "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup", "AWS::IAM::InstanceProfile", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy",
    "AWS::IAM::Role", "AWS::KMS::Alias", "AWS::Lambda::LayerVersion", "AWS::S3::BucketPolicy",
    "AWS::OpenSearchServerless::AccessPolicy", "AWS::OpenSearchServerless::LifecyclePolicy",
    "AWS::OpenSearchServerless::SecurityPolicy", "AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy",
    "AWS::SSM::Parameter", "AWS::XRay::Group",
    "Custom::AWSCDK-EKS-HelmChart", "Custom::AWSCDK-EKS-KubernetesResource", "Custom::S3AutoDeleteObjects",
    "Custom::VpcRestrictDefaultSG",
})  # fmt: skip
BY_USE = frozenset({
    # Charged by what goes through it: the lines of assumed use.
    "AWS::BedrockAgentCore::Memory", "AWS::DynamoDB::GlobalTable", "AWS::Logs::LogGroup", "AWS::S3::Bucket",
    # Less than a dollar: functions that run during deploys, and pods on Fargate, of which there are none yet.
    "AWS::EKS::FargateProfile", "AWS::Lambda::Function",
})  # fmt: skip
USES = {
    "table_writes_million": "million writes of tables",
    "table_reads_million": "million reads of tables",
    "table_gib": "GiB in tables, with point-in-time recovery",
    "models_gib": "GiB of models",
    "bedrock_input_million": "million tokens into models of Bedrock",
    "bedrock_output_million": "million tokens out of models of Bedrock",
    "memory_events_thousand": "thousand events remembered",
    "memory_records_thousand": "thousand pieces of knowledge kept by strategies",
    "memory_recalls_thousand": "thousand recalls of such knowledge",
    "logs_gib": "GiB of logs taken in",
    "between_zones_gib": "GiB between availability zones",
}


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` of `what` in one region, at `each_usd` a month."""

    region: str
    what: str
    quantity: float
    each_usd: float

    @property
    def usd(self) -> float:
        return self.quantity * self.each_usd


def load_prices(path: Path = PRICES) -> Mapping[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def monthly(plan: Environment, templates: Mapping[str, tuple[str, Template]], prices: Mapping[str, Any]) -> list[Line]:
    """The lines of one environment, alike ones added up. `templates`: region and template by stack.

    KeyError if a resource is neither priced nor known to be free, or a price is missing: stacks/prices.toml needs it.
    """
    lines: list[Line] = []
    for stack, (region, template) in templates.items():
        for logical_id, resource in template["Resources"].items():
            kind = resource["Type"]
            if kind in FREE | BY_USE:
                continue
            if kind not in RULES:
                raise KeyError(f"{kind} ({logical_id} of {stack}) is neither priced nor known to be free")
            lines += RULES[kind](resource["Properties"], region, prices)
        lines += _edge_nodes(template["Resources"], region, prices)
    for region_plan in plan.regions:
        lines += _auto_nodes(plan, region_plan.name, prices)
        lines += _uses(plan, region_plan.name, prices)
        lines.append(_metrics(plan, region_plan.name, prices))
    return _added_up(lines)


def _added_up(lines: list[Line]) -> list[Line]:
    quantities: dict[tuple[str, str, float], float] = {}
    for line in lines:
        key = (line.region, line.what, line.each_usd)
        quantities[key] = quantities.get(key, 0) + line.quantity
    return [Line(region, what, quantity, each) for (region, what, each), quantity in quantities.items() if quantity]


def _cluster(_: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    yield Line(region, "Kubernetes control planes", 1, prices["cluster_hour"] * prices["hours_per_month"])


def _node_group(properties: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    [kind] = properties["InstanceTypes"]
    hour = prices["instance_hour"][region][kind]
    yield Line(region, f"nodes {kind}", properties["ScalingConfig"]["DesiredSize"], hour * prices["hours_per_month"])


def _collection(properties: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    """The least that OpenSearch keeps running: half a unit to take in and half to search, each twice with copies."""
    units = 2 if properties["StandbyReplicas"] == "ENABLED" else 1
    yield Line(region, "OpenSearch units", units, prices["opensearch_unit_hour"][region] * prices["hours_per_month"])


def _endpoint(properties: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    if properties.get("VpcEndpointType", "Interface") == "Interface":
        month = prices["endpoint_hour"][region] * prices["hours_per_month"]
        yield Line(region, "interface endpoints, per zone", len(properties["SubnetIds"]), month)


def _cache(properties: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    kind = properties["CacheNodeType"]
    nodes = properties["NumNodeGroups"] * (1 + properties["ReplicasPerNodeGroup"])
    hour = prices["cache_node_hour"][region][kind]
    yield Line(region, f"Valkey nodes {kind}", nodes, hour * prices["hours_per_month"])


def _alarm(properties: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    """An alarm on an expression is charged for each metric in it."""
    metrics = sum("MetricStat" in query for query in properties.get("Metrics", [])) or 1
    yield Line(region, "metrics of alarms", metrics, prices["alarm_metric_month"])


def _fixed(what: str, price: str) -> Callable[[Mapping[str, Any], str, Mapping[str, Any]], Iterator[Line]]:
    def rule(_: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
        yield Line(region, what, 1, prices[price])

    return rule


RULES: Mapping[str, Callable[[Mapping[str, Any], str, Mapping[str, Any]], Iterator[Line]]] = {
    "AWS::ApplicationSignals::ServiceLevelObjective": _fixed("service level objectives", "objective_month"),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _fixed("dashboards", "dashboard_month"),
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EKS::Cluster": _cluster,
    "AWS::EKS::Nodegroup": _node_group,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::KMS::Key": _fixed("keys", "key_month"),
    "AWS::OpenSearchServerless::Collection": _collection,
    "AWS::OpenSearchServerless::VpcEndpoint": _endpoint,
    "AWS::SecretsManager::Secret": _fixed("secrets", "secret_month"),
}


def _metrics(plan: Environment, region: str, prices: Mapping[str, Any]) -> Line:
    """What controllers write; each name is charged for the metro and, if it is kept for sites, for each of them."""
    return Line(region, "custom metrics", metrics_billed(len(plan.sites_in(region))), prices["custom_metric_month"])


def _edge_nodes(resources: Mapping[str, Any], region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    """Nodes and volumes that launch templates describe: of edge sites by their group, else by the node group."""
    for resource in resources.values():
        if resource["Type"] not in ("AWS::AutoScaling::AutoScalingGroup", "AWS::EKS::Nodegroup"):
            continue
        edge = resource["Type"] == "AWS::AutoScaling::AutoScalingGroup"
        properties = resource["Properties"]
        chosen = properties["LaunchTemplate"].get("LaunchTemplateId") or properties["LaunchTemplate"]["Id"]
        data = resources[chosen["Ref"]]["Properties"]["LaunchTemplateData"]
        count = int(properties["DesiredCapacity"]) if edge else properties["ScalingConfig"]["DesiredSize"]
        factor, where = (prices["edge_factor"], " at the edge") if edge else (1.0, "")
        if edge:
            month = prices["instance_hour"][region][data["InstanceType"]] * factor * prices["hours_per_month"]
            yield Line(region, f"nodes {data['InstanceType']}{where}", count, month)
        for device in data["BlockDeviceMappings"]:
            gib, kind = device["Ebs"]["VolumeSize"], device["Ebs"]["VolumeType"]
            month = prices["volume_gib_month"][region][kind] * factor
            yield Line(region, f"GiB of {kind} volumes{where}", count * gib, month)
        if data.get("Monitoring", {}).get("Enabled"):
            yield Line(region, "nodes with metrics by the minute", count, prices["detailed_monitoring_month"])


def _auto_nodes(plan: Environment, region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    """Where AWS adds and removes nodes, no template has them: the plan's number is the usual one."""
    cluster, hours = plan.cluster, prices["hours_per_month"]
    if cluster.auto_scaling:
        hour = prices["instance_hour"][region][cluster.instance_type] * prices["auto_mode_factor"]
        yield Line(region, f"nodes {cluster.instance_type}, auto scaled", cluster.nodes, hour * hours)
        month = prices["volume_gib_month"][region]["gp3"]
        yield Line(region, "GiB of gp3 volumes", cluster.nodes * cluster.volume_gib, month)
    share = prices["assumed"][plan.name]["spot_hours_share"]
    spot = cluster.spot_cpu_limit * share
    yield Line(region, "spot vCPUs, on average", spot, prices["spot_vcpu_hour"][region] * hours)


def _uses(plan: Environment, region: str, prices: Mapping[str, Any]) -> Iterator[Line]:
    for name, what in USES.items():
        yield Line(region, what, prices["assumed"][plan.name][name], prices["use"][name][region])
