"""Where the agents of a metro remember what happened."""

from enum import StrEnum

from pydantic import Field

from edgemind.settings.fields import MemoryId, Namespace, OriginUrl, Region
from edgemind.settings.groups import Group


class MemoryStore(StrEnum):
    """What keeps memories."""

    OFF = "off"
    LOCAL = "local"
    AGENTCORE = "agentcore"


class MemorySettings(Group):
    """Where rounds and accepted advice are remembered. No round depends on it."""

    kind: MemoryStore = Field(
        default=MemoryStore.LOCAL,
        description="off: nowhere. local: files beside the json state, else for as long as the process lives. "
        "agentcore: Amazon Bedrock AgentCore Memory.",
    )
    memory_id: MemoryId | None = Field(
        default=None,
        description="The memory of kind agentcore, its id or its ARN. Without it, the one that the stacks of "
        "`aws.environment` name.",
        examples=["edgemind_staging-Ab3dEf7h1J"],
    )
    namespace: Namespace | None = Field(
        default=None,
        description="Below it strategies of that memory put what they learned; recall searches there, too.",
        examples=["/metro/berlin"],
    )
    region: Region | None = Field(
        default=None,
        description="Region of that memory. Without it, `aws.region`.",
        examples=["eu-central-1"],
    )
    endpoint_url: OriginUrl | None = Field(
        default=None,
        description="Address of an AgentCore that is not AWS's own, such as ministack.",
        examples=["http://127.0.0.1:4566"],
    )
