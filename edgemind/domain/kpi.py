"""What a fleet is measured by: alarms, rules, dashboards, the simulator and CI read these lines and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

REQUESTS_WINDOW_S = 300
"""Ratios of requests are of so long: of less, a small site's would be a matter of luck."""


class Tier(StrEnum):
    """Where a fleet runs: targets differ."""

    LOCAL = "local"
    STAGING = "staging"
    PRODUCTION = "production"


class Level(StrEnum):
    """How bad a value is; UNKNOWN is no value, which is never as good as OK."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Good(StrEnum):
    """Which side of its limits a value should be on."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one KPI in one tier, in its unit. The target itself is met on its good side only; None: no such level."""

    target: float
    warning: float | None = None
    critical: float | None = None


@dataclass(frozen=True, slots=True)
class OfRequests:
    """1 less the share of `bad` requests among all that were admitted and not `left_out`, in `REQUESTS_WINDOW_S`.

    Both name counters. Of fewer than `least` requests it is shown, and nobody is woken by it: one of ten that failed
    would be a disaster.
    """

    bad: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    least: int = 100


@dataclass(frozen=True, slots=True)
class Kpi:
    """`unit` is ms, ratio (0 to 1), s or min; `definition` says from where to where it is measured.

    A value has to be beyond a limit for `dwell_s` before anybody is alerted, and on its good side again for
    `recovery_s` before that is over. `is_age`: it grows by itself until it starts anew, so that no value is a bad one.
    """

    name: str
    title: str
    unit: str
    good: Good
    definition: str
    limits: Mapping[Tier, Limits]
    dwell_s: int = 60
    recovery_s: int = 120
    of_requests: OfRequests | None = None
    is_age: bool = False

    @property
    def runbook(self) -> str:
        """What to do about it: a path below docs/."""
        return f"runbooks/{self.name.replace('_', '-')}.md"

    @property
    def about(self) -> str:
        """Its definition, and of how many requests somebody is woken by it."""
        of = self.of_requests
        if of is None:
            return self.definition
        return f"{self.definition} Nobody is woken by fewer than {of.least} in {REQUESTS_WINDOW_S // 60} min."

    def level(self, value: float | None, tier: Tier) -> Level:
        if value is None:
            return Level.UNKNOWN
        limits = self.limits[tier]
        for level, bound in ((Level.CRITICAL, limits.critical), (Level.WARNING, limits.warning)):
            if bound is not None and self._beyond(value, bound):
                return level
        return Level.OK

    def _beyond(self, value: float, bound: float) -> bool:
        return value > bound if self.good is Good.BELOW else value < bound


def _same(limits: Limits) -> Mapping[Tier, Limits]:
    return dict.fromkeys(Tier, limits)


KPIS: tuple[Kpi, ...] = (
    Kpi(
        "swarm_coordination_ms",
        "Swarm coordination",
        "ms",
        Good.BELOW,
        "Breach confirmed until the outcome is known at the coordinator, p99.",
        _same(Limits(100.0, warning=80.0, critical=100.0)),
        recovery_s=300,
    ),
    Kpi(
        "consensus_success_ratio",
        "Consensus success",
        "ratio",
        Good.ABOVE,
        "Rounds that a quorum decided within 100 ms, a voted KEEP included, of all that were opened while a quorum "
        "could reach the store; one that timed out is a failure.",
        _same(Limits(0.99, critical=0.99)),
        recovery_s=300,
    ),
    Kpi(
        "site_report_age_ms",
        "Site health",
        "ms",
        Good.BELOW,
        "Age of the oldest report of a site that should be there: its beacon or its heartbeat, whichever is newer.",
        _same(Limits(2000.0, critical=2000.0)),
        dwell_s=10,
        recovery_s=30,
        is_age=True,
    ),
    Kpi(
        "metro_cache_hit_ratio",
        "Metro cache hits",
        "ratio",
        Good.ABOVE,
        "Requests served in the metro without a load of the model from its store and without the cloud tier, of all "
        "that were served.",
        _same(Limits(0.85, warning=0.85)),
        dwell_s=300,
        recovery_s=300,
        of_requests=OfRequests(("cloud",), left_out=("failed", "shed")),
    ),
    Kpi(
        "added_latency_ms",
        "Added latency",
        "ms",
        Good.BELOW,
        "Time to the first body byte less the model's own service time, p99.",
        {
            Tier.LOCAL: Limits(1000.0, warning=800.0),
            Tier.STAGING: Limits(100.0, warning=80.0),
            Tier.PRODUCTION: Limits(50.0, warning=40.0),
        },
    ),
    Kpi(
        "slo_attainment_ratio",
        "SLO attainment",
        "ratio",
        Good.ABOVE,
        "Requests answered within their own deadline, of those admitted.",
        _same(Limits(0.99, warning=0.99)),
        dwell_s=120,
        recovery_s=300,
        of_requests=OfRequests(("late", "failed", "shed")),
    ),
    Kpi(
        "availability_ratio",
        "Availability",
        "ratio",
        Good.ABOVE,
        "Admitted requests that were not answered with a 5xx.",
        _same(Limits(0.999, critical=0.999)),
        of_requests=OfRequests(("failed", "shed")),
    ),
    Kpi(
        "recovery_time_min",
        "Recovery time (RTO)",
        "min",
        Good.BELOW,
        "In a drill: from the fault until the fleet serves again.",
        _same(Limits(15.0, critical=15.0)),
        dwell_s=0,
        recovery_s=0,
    ),
    Kpi(
        "recovery_point_min",
        "Recovery point (RPO)",
        "min",
        Good.BELOW,
        "In a drill: age of the newest write that was lost.",
        _same(Limits(5.0, critical=5.0)),
        dwell_s=0,
        recovery_s=0,
    ),
    Kpi(
        "spend_ratio",
        "Spend",
        "ratio",
        Good.BELOW,
        "Spend of the month against the tier's budget.",
        _same(Limits(1.0, warning=0.8, critical=1.0)),
        dwell_s=0,
        recovery_s=0,
    ),
)
BY_NAME: Mapping[str, Kpi] = {kpi.name: kpi for kpi in KPIS}
