"""One MEC site: the roles that its pods take, and in an edge zone its subnet and nodes."""

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from edgemind.domain.deployment import site_stack
from stacks import names
from stacks.base import PlannedStack
from stacks.compute import ComputeStack
from stacks.constructs.edge_nodes import ClusterAddress, EdgeNodes
from stacks.constructs.edge_subnet import EdgeSubnet
from stacks.constructs.kubernetes_cluster import SERVICE_CIDR
from stacks.network import NetworkStack
from stacks.plans import Environment, SitePlan


class MecSiteStack(PlannedStack):
    def __init__(
        self, scope: Construct, plan: Environment, site: SitePlan, network: NetworkStack, compute: ComputeStack
    ) -> None:
        super().__init__(
            scope,
            site_stack(plan.name, site.name),
            plan,
            site.region,
            "site",
            f"site {site.name} ({site.profile} {site.zone})",
        )
        self._pod_identities(site, compute)
        if site.nodes is not None:
            self._edge(plan, site, network, compute)
        self.publish({"Namespace": names.site_namespace(site.name), "Zone": site.zone})

    def _pod_identities(self, site: SitePlan, compute: ComputeStack) -> None:
        for component, role in compute.pod_roles.items():
            eks.CfnPodIdentityAssociation(
                self,
                f"Identity-{component}",
                cluster_name=compute.cluster.cluster_name,
                namespace=names.site_namespace(site.name),
                service_account=f"edgemind-{component}",
                role_arn=role.role_arn,
            )

    def _edge(self, plan: Environment, site: SitePlan, network: NetworkStack, compute: ComputeStack) -> None:
        assert site.nodes is not None
        cluster = ClusterAddress(
            name=compute.cluster.cluster_name,
            version=plan.cluster.version,
            endpoint=compute.cluster.cluster_endpoint,
            certificate=compute.cluster.cluster_certificate_authority_data,
            service_cidr=SERVICE_CIDR,
            security_group_id=compute.cluster.cluster_security_group_id,
        )
        ground = EdgeSubnet(self, "Edge", site, network.vpc, network.acl.network_acl_id)
        nodes = EdgeNodes(
            self,
            "Nodes",
            site,
            site.nodes,
            ground.subnet.ref,
            cluster,
            compute.edge_profile,
        )
        # A node that starts before its routes are there cannot join.
        nodes.node.add_dependency(ground)
