"""Metrics that a controller writes by itself. Prometheus is not among them: it reads what is exposed anyway."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from edgemind.domain.bounds import OutOfBounds
from edgemind.settings.groups import Group


class Emf(StrEnum):
    """Who takes documents in CloudWatch's embedded metric format."""

    OFF = "off"
    LINE = "line"
    AGENT = "agent"
    LOG_GROUP = "log_group"


LogGroupName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_./#-]{1,512}$")]
AgentUrl = Annotated[str, StringConstraints(pattern=r"^tcp://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$")]


class MetricsSettings(Group):
    """What goes to CloudWatch once a minute."""

    emf: Emf = Field(
        default=Emf.OFF,
        strict=False,
        description="off: nothing. line: a line of JSON on stdout. agent: the CloudWatch agent at `agent`. log_group: "
        "CloudWatch Logs itself (extra `aws`).",
    )
    agent: AgentUrl = Field(default="tcp://127.0.0.1:25888", description="Where the CloudWatch agent takes metrics.")
    log_group: LogGroupName | None = Field(
        default=None, description="The log group of `emf: log_group`.", examples=["/edgemind/staging/metrics"]
    )

    @model_validator(mode="after")
    def _has_a_group(self) -> Self:
        if self.emf is Emf.LOG_GROUP and self.log_group is None:
            raise OutOfBounds("log_group", "is missing: `emf: log_group` needs the name of one")
        return self
