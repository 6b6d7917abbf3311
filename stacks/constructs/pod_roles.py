"""What each component of a site may ask of AWS: a role of its own, and in it only the calls that its code makes."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

COMPONENTS = ("gateway", "controller", "model-server", "bedrock-proxy")


def pods_of(account: str, cluster_arn: str) -> iam.IPrincipal:
    """Pods of this cluster alone; the agent's associations say which of them take a role."""
    conditions = {"StringEquals": {"aws:SourceAccount": account}, "ArnEquals": {"aws:SourceArn": cluster_arn}}
    return iam.SessionTagsPrincipal(iam.ServicePrincipal("pods.eks.amazonaws.com", conditions=conditions))


class PodRoles(Construct):
    """`roles` by component."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        account: str,
        cluster_arn: str,
        grants: Mapping[str, Sequence[iam.PolicyStatement]],
    ) -> None:
        super().__init__(scope, name)
        pods = pods_of(account, cluster_arn)
        self.roles = {component: self._role(component, pods, grants[component]) for component in COMPONENTS}

    def _role(self, component: str, pods: iam.IPrincipal, allowed: Sequence[iam.PolicyStatement]) -> iam.Role:
        name = "".join(word.capitalize() for word in component.split("-"))
        role = iam.Role(self, name, assumed_by=pods, description=f"EdgeMind {component} of every site of this region")
        iam.ManagedPolicy(
            self,
            f"{name}Policy",
            description=f"What the {component} asks of AWS",
            statements=list(allowed),
            roles=[role],
        )
        return role
