"""The statements of each component's role: only the calls that its code makes, on the resources of its region. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam

from stacks.plans import BedrockModel

READ_TABLE = ("dynamodb:GetItem", "dynamodb:Query")
READ_KEY = ("kms:Decrypt", "kms:DescribeKey")
WRITE_KEY = ("kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
"""What DynamoDB asks of the caller's rights when a table has a key of ours."""
WRITE_TABLE = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
REMEMBER = (
    "bedrock-agentcore:CreateEvent",
    "bedrock-agentcore:ListEvents",
    "bedrock-agentcore:ListSessions",
    "bedrock-agentcore:RetrieveMemoryRecords",
)
WRITE_METRICS = ("logs:CreateLogStream", "logs:PutLogEvents")
CALL_MODELS = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
PROXY_SECRET = "bedrock"


@dataclass(frozen=True, slots=True)
class RegionResources:
    """ARNs of one region's resources. `stacks`: those that are asked for outputs, the data stack first; `secrets` by
    their name in the fleet."""

    region: str
    account: str
    table: str
    bucket: str
    memory: str
    data_key: str
    stacks: Sequence[str]
    secrets: Mapping[str, str]
    models: Sequence[BedrockModel]
    metrics_log_group: str
    topics: Sequence[str]
    alert_key: str
    """An alias: the key itself belongs to a stack that is deployed after this one."""


def grants(of: RegionResources) -> Mapping[str, Sequence[iam.PolicyStatement]]:
    """By component. ARNs come in; nothing is looked up."""
    read = _allow("ReadState", READ_TABLE, [of.table])
    write = _allow("WriteState", WRITE_TABLE, [of.table])
    fleet_secrets = _secrets(of.secrets.values())
    return {
        "gateway": (
            _find(of.stacks[:1]),
            _key_use(of, "Decrypt", READ_KEY, ("dynamodb", "secretsmanager")),
            fleet_secrets,
            read,
        ),
        "controller": (
            _find(of.stacks),
            _key_use(of, "Decrypt", READ_KEY, ("dynamodb", "secretsmanager", "bedrock-agentcore")),
            _key_use(of, "Encrypt", WRITE_KEY, ("dynamodb", "bedrock-agentcore")),
            fleet_secrets,
            read,
            write,
            _allow("Remember", REMEMBER, [of.memory]),
            _allow("WriteMetrics", WRITE_METRICS, [f"{of.metrics_log_group}:log-stream:*"]),
            _allow("TellAlerts", ["sns:Publish"], of.topics),
            _alert_key_use(of),
        ),
        "model-server": (
            _find(of.stacks[:1]),
            _key_use(of, "Decrypt", READ_KEY, ("s3",)),
            _allow("ListModels", ["s3:ListBucket"], [of.bucket]),
            _allow("GetModels", ["s3:GetObject"], [f"{of.bucket}/models/*"]),
        ),
        "bedrock-proxy": (
            _key_use(of, "Decrypt", READ_KEY, ("secretsmanager",)),
            _secrets([of.secrets[PROXY_SECRET]]),
            *(statement for model in of.models for statement in _models(of, model)),
        ),
    }


def _models(of: RegionResources, model: BedrockModel) -> Sequence[iam.PolicyStatement]:
    """The profile, and what it leads to, by way of the profile only."""
    name = "".join(word.capitalize() for word in model.name.split("-"))
    profile = f"arn:aws:bedrock:{of.region}:{of.account}:inference-profile/{model.profile}"
    behind = [f"arn:aws:bedrock:{region}::foundation-model/{model.model}" for region in model.regions]
    through = {"StringEquals": {"bedrock:InferenceProfileArn": profile}}
    return (
        _allow(f"Call{name}", CALL_MODELS, [profile]),
        iam.PolicyStatement(sid=f"Reach{name}", actions=list(CALL_MODELS), resources=behind, conditions=through),
    )


def _find(stacks: Sequence[str]) -> iam.PolicyStatement:
    return _allow("FindTheDeployment", ["cloudformation:DescribeStacks"], stacks)


def _secrets(arns: Iterable[str]) -> iam.PolicyStatement:
    return _allow("FleetSecrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], list(arns))


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources))


def _alert_key_use(of: RegionResources) -> iam.PolicyStatement:
    """What SNS asks of the publisher's rights when a topic has a key of ours."""
    by_alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": [of.alert_key]}}
    through = {"StringEquals": {"kms:ViaService": [f"sns.{of.region}.amazonaws.com"]}}
    return iam.PolicyStatement(
        sid="EncryptAlerts",
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[f"arn:aws:kms:{of.region}:{of.account}:key/*"],
        conditions={**through, **by_alias},
    )


def _key_use(of: RegionResources, sid: str, actions: Sequence[str], services: Sequence[str]) -> iam.PolicyStatement:
    """The right to a key only by way of these services, never to the key itself."""
    via = [f"{service}.{of.region}.amazonaws.com" for service in services]
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=[of.data_key], conditions={"StringEquals": {"kms:ViaService": via}}
    )
