"""A Kubernetes cluster that only the network itself can reach, with the add-ons that every site needs."""

from typing import cast

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from aws_cdk.lambda_layer_kubectl_v35 import KubectlV35Layer
from constructs import Construct

from stacks import names
from stacks.constructs.kubectl_access import kubectl_role, settle_functions
from stacks.constructs.node_parts import AUTO_NODE_POLICIES, node_role
from stacks.log_groups import log_group
from stacks.plans import Environment

# Network policies are enforced by this plug-in, and only if it is told to.
ADDONS: dict[str, dict[str, object]] = {
    "vpc-cni": {"enableNetworkPolicy": "true"},
    "kube-proxy": {},
    "eks-pod-identity-agent": {},
}
"""What a node needs before it is ready."""
ADDONS_ON_NODES: dict[str, dict[str, object]] = {
    "coredns": {},
    "metrics-server": {},
    "aws-secrets-store-csi-driver-provider": {},
}
"""What needs a node to run on: names, the numbers that gateways scale by, and secrets as files."""
SERVICE_CIDR = "172.20.0.0/16"


class KubernetesCluster(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        plan: Environment,
        region: str,
        vpc: ec2.IVpc,
        keys: tuple[kms.IKey, kms.IKey],
    ) -> None:
        """`keys`: of Kubernetes secrets and of logs."""
        super().__init__(scope, name)
        secrets_key, logs_key = keys
        cluster_name = names.cluster(plan, region)
        # Before the cluster, which would make it without our key and keep it for ever.
        control_plane_logs = log_group(self, "Logs", plan, logs_key, name=f"/aws/eks/{cluster_name}/cluster")
        subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        auto = plan.cluster.auto_scaling
        self.cluster = eks.Cluster(
            self,
            "Cluster",
            cluster_name=cluster_name,
            version=eks.KubernetesVersion.of(plan.cluster.version),
            vpc=vpc,
            vpc_subnets=[subnets],
            endpoint_access=eks.EndpointAccess.PRIVATE,
            cluster_logging=list(eks.ClusterLoggingTypes),
            secrets_encryption_key=secrets_key,
            service_ipv4_cidr=SERVICE_CIDR,
            # AWS adds and removes nodes by demand, or there is the fixed group that the stack makes.
            default_capacity_type=eks.DefaultCapacityType.AUTOMODE if auto else eks.DefaultCapacityType.NODEGROUP,
            default_capacity=None if auto else 0,
            compute=self._automatic_nodes() if auto else None,
            bootstrap_cluster_creator_admin_permissions=False,
            bootstrap_self_managed_addons=False,
            kubectl_provider_options=eks.KubectlProviderOptions(
                kubectl_layer=KubectlV35Layer(self, "Kubectl"),
                role=kubectl_role(self, "KubectlRole", plan, cluster_name),
                private_subnets=vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnets,
            ),
        )
        settle_functions(self.cluster)
        self.cluster.node.add_dependency(control_plane_logs)
        # The generated types forget a member of the interface that the class has.
        self.interface = cast("eks.ICluster", self.cluster)
        self.addons = {name: self._addon(name, values) for name, values in ADDONS.items()}

    def _automatic_nodes(self) -> eks.ComputeConfig:
        return eks.ComputeConfig(
            node_pools=["system", "general-purpose"],
            node_role=node_role(self, "AutoNodeRole", AUTO_NODE_POLICIES),
        )

    def add_addons_on_nodes(self, *nodes: Construct) -> None:
        for name, values in ADDONS_ON_NODES.items():
            self._addon(name, values).node.add_dependency(*nodes)

    def _addon(self, name: str, values: dict[str, object]) -> eks.Addon:
        return eks.Addon(
            self,
            f"Addon-{name}",
            cluster=self.interface,
            addon_name=name,
            configuration_values=values or None,
            preserve_on_delete=False,
        )
