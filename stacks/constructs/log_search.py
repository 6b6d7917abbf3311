"""OpenSearch over a region's logs: a collection without servers, which only the region's network reaches."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_opensearchserverless as opensearch
from constructs import Construct

from stacks import names
from stacks.plans import Environment, LogSearchPlan, RegionPlan

HTTPS = 443
DESCRIBE = ("aoss:DescribeCollectionItems",)
WRITE = ("aoss:CreateIndex", "aoss:DescribeIndex", "aoss:UpdateIndex", "aoss:WriteDocument")
READ = ("aoss:DescribeIndex", "aoss:ReadDocument")
PATHS = {"collection": "collection/{}", "dashboard": "collection/{}", "index": "index/{}/*"}
"""How a policy names what is ours, by kind."""


class LogSearch(Construct):
    """`writer` adds logs at `host`; `readers` is the role that people take to search them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        plan: Environment,
        search: LogSearchPlan,
        door: opensearch.CfnVpcEndpoint,
        key: kms.IKey,
        writer: iam.Role,
    ) -> None:
        super().__init__(scope, name)
        self._name = names.log_search(plan)
        self.readers = iam.Role(
            self,
            "Readers",
            assumed_by=iam.AccountPrincipal(plan.account),
            description="Searches EdgeMind's logs; whom another policy lets take it",
        )
        self.collection = opensearch.CfnCollection(
            self,
            "Collection",
            name=self._name,
            type="TIMESERIES",
            description=f"EdgeMind {plan.name}: logs of pods",
            standby_replicas="ENABLED" if search.copies else "DISABLED",
            encryption_config=opensearch.CfnCollection.EncryptionConfigProperty(kms_key_arn=key.key_arn),
        )
        self.collection.add_resource_dependency(self._network(door))
        self.collection.add_resource_dependency(self._kept(search.days))
        self._data_access(writer)
        self._admit("Writer", writer, ["aoss:APIAccessAll"])
        self._admit("Reader", self.readers, ["aoss:APIAccessAll", "aoss:DashboardsAccessAll"])
        self.host = f"{self.collection.attr_id}.{Stack.of(self).region}.aoss.amazonaws.com"

    def _network(self, door: opensearch.CfnVpcEndpoint) -> opensearch.CfnSecurityPolicy:
        """API and Dashboards answer at the network's door alone."""
        rules = [self._rule("collection"), self._rule("dashboard")]
        policy = [{"Rules": rules, "AllowFromPublic": False, "SourceVPCEs": [door.attr_id]}]
        return opensearch.CfnSecurityPolicy(self, "Network", name=self._name, type="network", policy=_compact(policy))

    def _kept(self, days: int) -> opensearch.CfnLifecyclePolicy:
        policy = {"Rules": [{**self._rule("index"), "MinIndexRetention": f"{days}d"}]}
        return opensearch.CfnLifecyclePolicy(self, "Kept", name=self._name, type="retention", policy=_compact(policy))

    def _data_access(self, writer: iam.Role) -> None:
        policy = [
            {
                "Principal": [role.role_arn],
                "Rules": [self._rule("collection", DESCRIBE), self._rule("index", permissions)],
            }
            for role, permissions in ((writer, WRITE), (self.readers, READ))
        ]
        opensearch.CfnAccessPolicy(self, "DataAccess", name=self._name, type="data", policy=_compact(policy))

    def _rule(self, kind: str, permissions: Sequence[str] = ()) -> Mapping[str, object]:
        rule: dict[str, object] = {"ResourceType": kind, "Resource": [PATHS[kind].format(self._name)]}
        return rule | {"Permission": list(permissions)} if permissions else rule

    def _admit(self, name: str, role: iam.Role, actions: Sequence[str]) -> None:
        """IAM's half of the permission: to ask at all. What for, the data access policy says."""
        iam.ManagedPolicy(
            self,
            f"{name}Policy",
            description="Asks OpenSearch for the collection of logs",
            statements=[iam.PolicyStatement(actions=list(actions), resources=[self.collection.attr_arn])],
            roles=[role],
        )


def log_search_door(
    scope: Construct, plan: Environment, vpc: ec2.IVpc, region: RegionPlan
) -> opensearch.CfnVpcEndpoint:
    """Where the network reaches OpenSearch, in each of its zones for endpoints; a name inside it leads there."""
    group = ec2.SecurityGroup(
        scope, "DoorGroup", vpc=vpc, description="OpenSearch: from inside the network", allow_all_outbound=False
    )
    group.add_ingress_rule(ec2.Peer.ipv4(region.cidr), ec2.Port.tcp(HTTPS), "HTTPS from inside the network")
    subnets = vpc.select_subnets(
        subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, availability_zones=list(region.endpoint_zones), one_per_az=True
    )
    return opensearch.CfnVpcEndpoint(
        scope,
        "Door",
        name=names.log_search(plan),
        vpc_id=vpc.vpc_id,
        subnet_ids=subnets.subnet_ids,
        security_group_ids=[group.security_group_id],
    )


def _compact(policy: object) -> str:
    """Without whitespace, as the service wants it."""
    return json.dumps(policy, separators=(",", ":"))
