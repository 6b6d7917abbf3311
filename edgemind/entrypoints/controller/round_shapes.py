"""The shape of one round in the OpenAPI document; `domain/swarm/history_documents.py` writes it."""

from pydantic import BaseModel, ConfigDict, Field


class _Open(BaseModel):
    """A site may be newer than this controller: what it adds is passed on."""

    model_config = ConfigDict(extra="allow")


class RoundAbout(BaseModel):
    """What to ask the swarm about."""

    model: str = Field(min_length=1, max_length=256, description="A model that this controller's site holds.")
    replicas: int | None = Field(
        default=None, ge=1, le=1000, description="Ask only whether so many replicas shall run here, or all stays."
    )


class AskedRound(BaseModel):
    """The swarm was asked; `GET /rounds` tells what it decided."""

    site: str
    model: str


class CandidateShape(_Open):
    """One thing to do, as an absolute state. `target` is percent of a shift, or replicas."""

    id: str
    action: str = Field(examples=["shift"])
    site: str = Field(default="", description="The site that acts; empty for keep.")
    target: int = 0
    of: str = ""
    model: str = ""


class OutcomeShape(_Open):
    """What was decided. `timed_out`: a keep that no quorum voted for."""

    candidate: CandidateShape
    timed_out: bool = False


class BallotShape(_Open):
    """A site's candidates, best first, and when and how `site` came to know them."""

    ranking: list[str]
    ms: float
    known: str = Field(examples=["acknowledgement", "read from the store", "own"])


class LoadShape(_Open):
    """A site as a voter saw it. `demand`: requests under way and waiting."""

    slots: int
    demand: float
    replicas: int = 1
    up: bool = True


class PolicyShape(_Open):
    """Of the voter."""

    hysteresis_ratio: float
    cooldown_ms: float


class ViewShape(_Open):
    """What a site knew when it voted."""

    loads: dict[str, LoadShape] = {}
    policy: PolicyShape | None = None
    since_change_ms: float | None = None


class ToolCallShape(_Open):
    """One call that a voter made on the way to its ballot."""

    role: str
    tool: str
    arguments: dict[str, object] = {}
    result: object = None
    took_ms: float = 0.0
    failed: str | None = None


class VoteShape(_Open):
    """A site's vote with what it rests on."""

    ranking: list[str]
    voter: str = Field(description="What spoke: library, or strands.")
    took_ms: float = 0.0
    view: ViewShape | None = None
    tool_calls: list[ToolCallShape] = []


class EffectShape(_Open):
    """What came of a site's part in the decision."""

    site: str
    what: str
    state: str = Field(description="applied, refused, failed or undone")
    took_ms: float = 0.0
    why: str | None = None


class StepShape(_Open):
    name: str
    ms: float


class StoreCallsShape(_Open):
    count: int = 0
    hedged: int = 0


class RoundShape(_Open):
    """One round as `site` saw it: its coordinator, if that one answers. Times count from when `site` heard of it."""

    v: int
    fence: str = Field(description="Epoch and number.", examples=["1.17"])
    metro: str
    site: str
    at_ms: int = Field(description="Wall time in milliseconds.")
    heard: str = Field(description="How `site` heard of it; after `breach`, times count from the confirmed breach.")
    breached: str | None = Field(default=None, description="The site in trouble.")
    model: str = ""
    measured: dict[str, float] = Field(default={}, description="What the breaching site saw.")
    opener: str | None = None
    coordinator: str | None = Field(default=None, description="The site whose deciding write stands.")
    candidates: list[CandidateShape] = []
    roster: list[str] = []
    quorum: int = 0
    suspected: list[str] = []
    ballots: dict[str, BallotShape] = {}
    voters: list[str] = Field(default=[], description="Whose ballots were counted.")
    tally: dict[str, int] = {}
    outcome: OutcomeShape | None = None
    decided_ms: float | None = Field(default=None, description="Null at sites that only learned it.")
    learned_ms: float | None = None
    ended: str | None = Field(default=None, description="Why there is no outcome.")
    steps: list[StepShape] = []
    votes: dict[str, VoteShape] = Field(default={}, description="Each from its own site.")
    effects: list[EffectShape] = []
    trace_id: str | None = Field(default=None, description="Of its spans, the same at every site.")
    store_calls: StoreCallsShape = StoreCallsShape()
    unreachable: list[str] = Field(default=[], description="Sites whose votes and effects are missing here.")
