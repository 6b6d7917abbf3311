"""The shape of a decision's explanation, as the fleet API documents it. Fields of a newer fleet are left aside."""

from dataclasses import dataclass, field

from dashboard.wording import under_way


@dataclass(frozen=True, slots=True)
class CostTerms:
    """One candidate's expected completion in milliseconds; `expected_ms` is the sum of the other four.

    `cost_ms` is what candidates are compared by: the same sum with its waiting weighted (None from an older
    gateway). Waiting, expected time and cost are None when the candidate's last report was too old to be compared
    (`fresh` is False).
    """

    site: str
    tier: str = "edge"
    rtt_ms: float | None = None
    load_ms: float | None = None
    service_ms: float | None = None
    waiting_ms: float | None = None
    expected_ms: float | None = None
    cost_ms: float | None = None
    in_flight: float | None = None
    slots: int | None = None
    weight: float | None = None
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class ExcludedSite:
    site: str
    why: str


@dataclass(frozen=True, slots=True)
class Attempt:
    site: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`site` is the ingress, `chosen` where it ran (None: nobody took it); `status` is 0 while it is under way."""

    id: str
    at_ms: int
    site: str
    model: str
    reason: str
    tenant: str | None = None
    api: str | None = None
    chosen: str | None = None
    runner_up: str | None = None
    predicted_ms: float | None = None
    actual_ms: float | None = None
    first_byte_ms: float | None = None
    status: int | None = None
    deadline_ms: float | None = None
    priority: str | None = None
    session: str | None = None
    device_class: str | None = None
    table_version: int | None = None
    trace_id: str | None = None
    residency: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    candidates: tuple[CostTerms, ...] = field(default=())
    exclusions: tuple[ExcludedSite, ...] = ()

    @property
    def under_way(self) -> bool:
        return under_way(self.status, self.actual_ms)
