"""Compute of one region: the cluster, its nodes, and the roles that pods take."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from edgemind.domain import deployment
from edgemind.domain.kpi import Level
from stacks import names
from stacks.agents import AgentsStack
from stacks.base import PlannedStack
from stacks.constructs.kubernetes_cluster import KubernetesCluster
from stacks.constructs.node_group import NodeGroup
from stacks.constructs.node_parts import node_role
from stacks.constructs.pod_grants import RegionResources, grants
from stacks.constructs.pod_roles import PodRoles
from stacks.constructs.spot_pool import spot_pool
from stacks.data import DataStack
from stacks.network import CACHE_PORT, NetworkStack
from stacks.plans import Environment
from stacks.security import SecurityStack

AGENTS_NAMESPACE = "edgemind-agents"


class ComputeStack(PlannedStack):
    """`edge_profile` is what nodes of edge sites are, as they join from their own stacks."""

    def __init__(
        self,
        scope: Construct,
        plan: Environment,
        region: str,
        network: NetworkStack,
        security: SecurityStack,
        data: DataStack,
        agents: AgentsStack,
    ) -> None:
        super().__init__(
            scope,
            deployment.regional_stack(plan.name, region, deployment.COMPUTE),
            plan,
            region,
            deployment.COMPUTE,
            f"Kubernetes in {region}",
            protected=True,
        )
        keys = (security.cluster_key, security.logs_key)
        made = KubernetesCluster(self, "Kubernetes", plan, region, network.vpc, keys)
        self.cluster, self.kubernetes = made.cluster, made.interface
        self._nodes(made)
        self._fargate(region)
        self._admit_to_cache(network)
        self.edge_profile = self._edge_nodes()
        allowed = _grants(plan, region, security, data, agents)
        self.pod_roles = PodRoles(self, "Pods", plan.account, self.cluster.cluster_arn, allowed).roles
        self.publish({deployment.CLUSTER_NAME: self.cluster.cluster_name})

    def _nodes(self, made: KubernetesCluster) -> None:
        if self.plan.cluster.auto_scaling:
            made.add_addons_on_nodes(self.cluster)
        else:
            nodes = NodeGroup(self, "Nodes", self.plan.cluster, self.kubernetes)
            nodes.node.add_dependency(*made.addons.values())
            made.add_addons_on_nodes(nodes)
        if self.plan.cluster.spot_cpu_limit:
            spot_pool(self, self.kubernetes, self.plan.cluster.spot_cpu_limit)

    def _admit_to_cache(self, network: NetworkStack) -> None:
        ec2.CfnSecurityGroupIngress(
            self,
            "NodesToCache",
            group_id=network.cache.security_group_id,
            source_security_group_id=self.cluster.cluster_security_group_id,
            ip_protocol="tcp",
            from_port=CACHE_PORT,
            to_port=CACHE_PORT,
            description="Valkey over TLS from nodes and pods",
        )

    def _edge_nodes(self) -> iam.InstanceProfile:
        role = node_role(self, "EdgeNodeRole")
        eks.AccessEntry(
            self,
            "EdgeNodes",
            cluster=self.kubernetes,
            principal=role.role_arn,
            access_entry_type=eks.AccessEntryType.EC2_LINUX,
            access_policies=[],
        )
        return iam.InstanceProfile(self, "EdgeNodeProfile", role=role)

    def _fargate(self, region: str) -> None:
        """Where a site asks for it, agents run without nodes: their work comes in bursts, minutes apart."""
        zones = sorted({site.zone for site in self.plan.sites_in(region) if site.fargate})
        if not zones:
            return
        role = iam.Role(
            self,
            "FargateRole",
            assumed_by=iam.ServicePrincipal(
                "eks-fargate-pods.amazonaws.com",
                conditions={
                    "ArnLike": {
                        "aws:SourceArn": f"arn:aws:eks:{region}:{self.plan.account}:"
                        f"fargateprofile/{self.cluster.cluster_name}/*"
                    }
                },
            ),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("AmazonEKSFargatePodExecutionRolePolicy")],
        )
        self.cluster.add_fargate_profile(
            "Agents",
            selectors=[eks.Selector(namespace=AGENTS_NAMESPACE)],
            pod_execution_role=role,
            vpc=self.cluster.vpc,
            subnet_selection=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, availability_zones=zones),
        )


def _grants(
    plan: Environment, region: str, security: SecurityStack, data: DataStack, agents: AgentsStack
) -> Mapping[str, Sequence[iam.PolicyStatement]]:
    part = deployment.regional_stack(plan.name, region, "{part}")
    stacks = [part.format(part=name) for name in (deployment.DATA, deployment.AGENTS)]
    resources = RegionResources(
        region=region,
        account=plan.account,
        table=data.swarm.table.table_arn,
        bucket=f"arn:aws:s3:::{names.model_bucket(plan, region)}",
        memory=agents.memory.memory_arn,
        data_key=security.data_key.key_arn,
        stacks=[f"arn:aws:cloudformation:{region}:{plan.account}:stack/{stack}/*" for stack in stacks],
        secrets={name: secret.secret_arn for name, secret in security.fleet_secrets.items()},
        models=plan.cloud.models,
        metrics_log_group=names.metrics_log_group_arn(plan, region),
        topics=[
            f"arn:aws:sns:{region}:{plan.account}:{names.alert_topic(plan, level)}"
            for level in (Level.CRITICAL, Level.WARNING, Level.INFO)
        ],
        alert_key=names.alert_key_alias(plan),
    )
    return grants(resources)
