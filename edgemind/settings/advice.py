"""The group `advice` of edgemind.yaml: which model advises, and what may happen without an operator."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from edgemind.domain.bounds import OutOfBounds
from edgemind.settings.fields import Region, ServerUrl
from edgemind.settings.groups import Group
from edgemind.settings.secret import SecretReference

MODEL_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,255}$"


class AdviceModel(StrEnum):
    """Who explains rounds and proposes changes."""

    OFF = "off"
    BEDROCK = "bedrock"
    OPENAI = "openai"


class AdviceSettings(Group):
    """The advisor (`edgemind advice run`), and what controllers do with proposals. Rounds never wait for it."""

    model: AdviceModel = Field(
        default=AdviceModel.OFF,
        strict=False,
        description="off: none. bedrock: Amazon Bedrock. openai: any OpenAI-compatible server at `base_url`.",
    )
    base_url: ServerUrl | None = Field(
        default=None,
        description="Address of the openai model, with its path.",
        examples=["http://127.0.0.1:9000/v1"],
    )
    name: Annotated[str, StringConstraints(pattern=MODEL_ID_PATTERN)] | None = Field(
        default=None,
        description="The model's name there, or its Bedrock id.",
        examples=["eu.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    )
    key: SecretReference | None = Field(default=None, description="API key of the openai model.")
    region: Region | None = Field(default=None, description="Bedrock's region; without it, `aws.region`.")
    timeout_s: float = Field(
        default=60.0,
        ge=1,
        le=600,
        description="Time for one answer of the model; one that takes longer is given up.",
        json_schema_extra={"unit": "s"},
    )
    every_s: float = Field(
        default=300.0,
        ge=10,
        le=86_400,
        description="Pause between two pieces of advice under `edgemind advice run --every`.",
        json_schema_extra={"unit": "s"},
    )
    auto_accept: bool = Field(
        default=False,
        description="Whether controllers accept by themselves what the replay of recent rounds shows to be harmless.",
    )

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.model is not AdviceModel.OFF and self.name is None:
            raise OutOfBounds("name", f"is missing, and model: {self.model.value} needs it; name the model")
        if self.model is AdviceModel.OPENAI and self.base_url is None:
            raise OutOfBounds("base_url", "is missing, and model: openai needs it; write the server's address")
        return self
