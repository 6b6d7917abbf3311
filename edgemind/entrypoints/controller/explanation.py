"""The shape of a decision's explanation in the OpenAPI document; its gateway worker writes it."""

from pydantic import BaseModel, ConfigDict, Field


class _Open(BaseModel):
    """A gateway may be newer than this controller: what it adds is passed on."""

    model_config = ConfigDict(extra="allow")


class CandidateTerms(_Open):
    """One candidate's expected completion, in milliseconds, as the decision saw it.

    `expected_ms` = `rtt_ms` + `load_ms` + `service_ms` + `waiting_ms`; the last two are null for a candidate whose last
    report was too old to be compared (`fresh` false). `cost_ms` is what candidates are compared by: the same sum with
    its waiting weighted. `weight` is its share of the routing table.
    """

    site: str
    tier: str = "edge"
    rtt_ms: float | None = None
    service_ms: float | None = None
    waiting_ms: float | None = None
    load_ms: float | None = None
    expected_ms: float | None = None
    cost_ms: float | None = None
    in_flight: float | None = None
    slots: int | None = None
    weight: float | None = None
    fresh: bool = True


class ExcludedSite(_Open):
    """A place that serves the model and could not serve this request."""

    site: str
    why: str


class Attempt(_Open):
    """One try at one site."""

    site: str
    outcome: str


class DecisionExplanation(_Open):
    """Everything that one decision saw and did."""

    id: str
    at_ms: int = Field(description="Wall time in milliseconds.")
    site: str = Field(description="The ingress: the site that the device asked.")
    model: str
    tenant: str | None = None
    api: str | None = None
    trace_id: str | None = Field(default=None, description="The trace it belongs to, as W3C writes it.")
    reason: str
    chosen: str | None = Field(default=None, description="Where it ran; null if nobody took it.")
    predicted_ms: float | None = None
    actual_ms: float | None = None
    first_byte_ms: float | None = None
    status: int | None = Field(default=None, description="0 while it is under way; 499 if the client hung up.")
    attempts: list[Attempt] = []
    deadline_ms: float | None = None
    priority: str | None = None
    session: str | None = Field(default=None, description="The session's last site, if the request named a session.")
    residency: list[str] = []
    device_class: str | None = None
    table_version: int | None = None
    candidates: list[CandidateTerms] = []
    runner_up: str | None = None
    exclusions: list[ExcludedSite] = []
