"""What each component of a site may ask of AWS: a role of its own, and in it only the calls that its code makes."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

COMPONENTS = ("gateway", "controller", "model-server", "bedrock-proxy")


class PodRoles(Construct):
    """`roles` by component. Only pods of this cluster can take them: the agent's associations say which."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        account: str,
        cluster_arn: str,
        grants: Mapping[str, Sequence[iam.PolicyStatement]],
    ) -> None:
        super().__init__(scope, name)
        self.roles = {
            component: self._role(component, account, cluster_arn, grants[component]) for component in COMPONENTS
        }

    def _role(self, component: str, account: str, cluster_arn: str, allowed: Sequence[iam.PolicyStatement]) -> iam.Role:
        name = "".join(word.capitalize() for word in component.split("-"))
        role = iam.Role(
            self,
            name,
            assumed_by=iam.SessionTagsPrincipal(
                iam.ServicePrincipal(
                    "pods.eks.amazonaws.com",
                    conditions={
                        "StringEquals": {"aws:SourceAccount": account},
                        "ArnEquals": {"aws:SourceArn": cluster_arn},
                    },
                )
            ),
            description=f"EdgeMind {component} of every site of this region",
        )
        iam.ManagedPolicy(
            self,
            f"{name}Policy",
            description=f"What the {component} asks of AWS",
            statements=list(allowed),
            roles=[role],
        )
        return role
