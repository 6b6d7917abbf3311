"""What each component of a site may ask of AWS: a role of its own, and in it only the calls that its code makes."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

COMPONENTS = ("gateway", "controller", "model-server")
READ_TABLE = ("dynamodb:GetItem", "dynamodb:Query")
READ_KEY = ("kms:Decrypt", "kms:DescribeKey")
WRITE_KEY = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
"""What DynamoDB asks of the caller's rights when a table has a key of ours."""
WRITE_TABLE = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")


class Grants:
    """The statements of each component. ARNs of one region's resources come in; nothing is looked up."""

    def __init__(
        self,
        region: str,
        table: str,
        bucket: str,
        data_key: str,
        data_stack: str,
        secrets: Sequence[str],
        metrics_log_group: str,
    ) -> None:
        find = iam.PolicyStatement(
            sid="FindTheDeployment", actions=["cloudformation:DescribeStacks"], resources=[data_stack]
        )
        decrypt = _key_use("Decrypt", READ_KEY, data_key, region, ("dynamodb", "secretsmanager"))
        encrypt = _key_use("Encrypt", WRITE_KEY, data_key, region, ("dynamodb",))
        decrypt_models = _key_use("Decrypt", READ_KEY, data_key, region, ("s3",))
        fleet_secrets = iam.PolicyStatement(
            sid="FleetSecrets",
            actions=["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            resources=list(secrets),
        )
        read = iam.PolicyStatement(sid="ReadState", actions=list(READ_TABLE), resources=[table])
        write = iam.PolicyStatement(sid="WriteState", actions=list(WRITE_TABLE), resources=[table])
        list_models = iam.PolicyStatement(sid="ListModels", actions=["s3:ListBucket"], resources=[bucket])
        get_models = iam.PolicyStatement(sid="GetModels", actions=["s3:GetObject"], resources=[f"{bucket}/models/*"])
        metrics = iam.PolicyStatement(
            sid="WriteMetrics",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[f"{metrics_log_group}:log-stream:*"],
        )
        self.statements: Mapping[str, Sequence[iam.PolicyStatement]] = {
            "gateway": (find, decrypt, fleet_secrets, read),
            "controller": (find, decrypt, encrypt, fleet_secrets, read, write, metrics),
            "model-server": (find, decrypt_models, list_models, get_models),
        }


def _key_use(sid: str, actions: Sequence[str], key: str, region: str, services: Sequence[str]) -> iam.PolicyStatement:
    """The right to a key only by way of these services, never to the key itself."""
    via = [f"{service}.{region}.amazonaws.com" for service in services]
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=[key], conditions={"StringEquals": {"kms:ViaService": via}}
    )


class PodRoles(Construct):
    """`roles` by component. Only pods of this cluster can take them: the agent's associations say which."""

    def __init__(self, scope: Construct, name: str, account: str, cluster_arn: str, grants: Grants) -> None:
        super().__init__(scope, name)
        self.roles = {component: self._role(component, account, cluster_arn, grants) for component in COMPONENTS}

    def _role(self, component: str, account: str, cluster_arn: str, grants: Grants) -> iam.Role:
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
            statements=list(grants.statements[component]),
            roles=[role],
        )
        return role
