"""The shapes of advice in the OpenAPI document; `domain/advice/documents.py` writes changes."""

from pydantic import BaseModel, ConfigDict, Field

from edgemind.domain.advice.settings import DEFAULT_S


class _Open(BaseModel):
    """A site may be newer than this controller: what it adds is passed on."""

    model_config = ConfigDict(extra="allow")


class WantedValue(BaseModel):
    """One setting by its dotted path, and the value it should have."""

    field: str = Field(max_length=256, examples=["swarm.cooldown_ms"])
    to: float


class AdviceProposal(BaseModel):
    """What to change, for how long, and why."""

    changes: list[WantedValue] = Field(max_length=16)
    reason: str = Field(max_length=2048)
    for_s: int = Field(default=DEFAULT_S, description="Seconds for which it is in force once it is accepted.")


class MoveShape(_Open):
    field: str
    from_: float = Field(alias="from")
    to: float


class ReplayShape(_Open):
    """What a replay of recent rounds said, and its numbers."""

    harmless: bool
    reason: str
    rounds: int = Field(description="Rounds that were judged.")
    numbers: dict[str, float] = {}


class ChangeShape(_Open):
    """One change of policy."""

    v: int
    id: str = Field(examples=["adv-7"])
    number: int
    based_on: int = Field(description="Version of the metro's advice that it was made from.")
    changes: list[MoveShape]
    reason: str
    proposed_by: str = Field(description="The role that proposed it.")
    created_ms: int
    for_s: int
    expires_ms: int = Field(description="Until then it waits, or is in force.")
    state: str = Field(description="proposed, accepted, rejected, expired or rolled_back.")
    decided_by: str | None = Field(default=None, description="`replay`, or a role.")
    decided_ms: int | None = None
    ended_ms: int | None = None
    replay: ReplayShape


class AdvisableShape(_Open):
    """A setting that advice may change: what the file says, what is in force, and what one change may set."""

    field: str
    standing: float = Field(description="What edgemind.yaml says at the controller that was asked.")
    value: float = Field(description="What is in force there.")
    low: float
    high: float
    unit: str
    meaning: str
    whole: bool = False


class AdvicePage(_Open):
    """Changes, newest first."""

    version: int
    paused: bool
    in_force: str | None = Field(description="The id of the change that controllers follow.")
    settings: list[AdvisableShape]
    changes: list[ChangeShape]
    next_cursor: str | None = None


class PauseAnswer(BaseModel):
    version: int
    paused: bool
