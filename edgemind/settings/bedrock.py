"""The group `bedrock` of edgemind.yaml: what `edgemind bedrock-proxy` serves as the cloud tier, and how."""

from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic.config import JsonDict

from edgemind.settings.fields import BEDROCK_MODEL_PATTERN, ModelName, OriginUrl, Region
from edgemind.settings.groups import Group
from edgemind.settings.secret import SecretReference

SECONDS: JsonDict = {"unit": "s"}


class BedrockModelSettings(Group):
    """One model of Amazon Bedrock under the name that requests call it."""

    name: ModelName = Field(description="What requests call it; unique.", examples=["claude-haiku"])
    model_id: Annotated[str, StringConstraints(pattern=BEDROCK_MODEL_PATTERN)] = Field(
        description="Bedrock's id of the model, or id or ARN of an inference profile.",
        examples=["eu.anthropic.claude-haiku-4-5-20251001-v1:0"],
    )
    slots: int = Field(
        default=16, ge=1, le=10_000, description="Calls of one proxy at once; the account's quota bounds all together."
    )
    streaming: bool = Field(
        default=True, description="false: for models without ConverseStream; a stream's text then comes at once."
    )


class BedrockSettings(Group):
    """Models of Amazon Bedrock behind OpenAI's API. Credentials are found as every AWS program finds them."""

    models: tuple[BedrockModelSettings, ...] = Field(
        min_length=1, max_length=100, description="The models it serves.", examples=["[{name: ...}]"]
    )
    region: Region | None = Field(
        default=None,
        description="Region to call. Without it `aws.region`, AWS_DEFAULT_REGION or the profile's.",
        examples=["eu-central-1"],
    )
    endpoint_url: OriginUrl | None = Field(
        default=None,
        description="Address of a Bedrock runtime other than the region's own, such as that of a VPC endpoint.",
        examples=["https://vpce-0123456789abcdef0.bedrock-runtime.eu-central-1.vpce.amazonaws.com"],
    )
    key: SecretReference | None = Field(
        default=None,
        description="Bearer token that callers bring, as `key` of `cloud.models[]`; required beyond loopback.",
    )
    first_byte_timeout_s: float = Field(
        default=55.0, ge=0.1, le=3600, description="Longest wait for an answer to begin; then 504.",
        json_schema_extra=SECONDS,
    )  # fmt: skip
    silence_timeout_s: float = Field(
        default=30.0, ge=0.1, le=3600, description="Longest silence within an answer; then it is cut.",
        json_schema_extra=SECONDS,
    )  # fmt: skip
    answer_timeout_s: float = Field(
        default=300.0, ge=0.1, le=3600, description="Longest time of a whole request, the wait for a slot included.",
        json_schema_extra=SECONDS,
    )  # fmt: skip
    drain_s: float = Field(
        default=30.0, ge=0, le=3600, description="Time after SIGTERM that answers under way have to end.",
        json_schema_extra=SECONDS,
    )  # fmt: skip
