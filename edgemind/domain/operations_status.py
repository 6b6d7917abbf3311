"""What the fleet API shows operators: KPIs against their targets, alerts, and the last quarter of an hour in series."""

from dataclasses import dataclass, field
from enum import StrEnum

from edgemind.domain.kpi import Level, Tier


@dataclass(frozen=True, slots=True)
class KpiStatus:
    """One KPI of the metro just now. `value` is None where nothing was measured; then `why` says what is missing.

    `trend` holds one value a minute, the oldest first, None where there was none. `window_s` is of how long the value
    is. With a value, `why` says what it leaves out.
    """

    name: str
    title: str
    unit: str
    definition: str
    good: str
    value: float | None
    target: float
    level: Level
    why: str | None = None
    trend: list[float | None] = field(default_factory=list)
    window_s: int | None = None


@dataclass(frozen=True, slots=True)
class KpiList:
    """`asked` is the site that measured, at `at_ms` (wall time); `measured` says how, such as `local`."""

    tier: Tier
    asked: str
    at_ms: int
    measured: str
    kpis: list[KpiStatus]


class AlertState(StrEnum):
    """PENDING: beyond the limit, not yet for long enough to wake anybody."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """One alert. `id` stays the same from pending to resolved; `site` is None for what concerns the metro.

    `runbook` is a path below docs/, `text` says in a sentence what is wrong. Times are wall times.
    """

    id: str
    name: str
    level: Level
    state: AlertState
    site: str | None
    text: str
    runbook: str
    since_ms: int
    ended_ms: int | None = None
    kpi: str | None = None
    value: float | None = None
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """Where the asked site tells alerts. `failures` are tries, `lost` are notices that were given up."""

    name: str
    ok: bool
    told: int
    failures: int
    lost: int
    waiting: int
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Firing ones first, the worst level first, then the newest. `unreachable` sites told nothing of theirs.

    `teller` is the site that tells what concerns the metro, as the asked one sees it; `sinks` are the asked one's.
    """

    alerts: list[AlertStatus]
    unreachable: list[str] = field(default_factory=list)
    teller: str | None = None
    sinks: list[SinkStatus] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SiteSeries:
    """Of one site: name of the series -> values, as many as `SeriesPage.steps`; None where nothing was reported.

    Series: requests_per_s, in_flight, busy_ratio, added_ms_p99, shed_per_s.
    """

    site: str
    values: dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """Value i is of the `step_ms` that end at `first_ms + i * step_ms` (wall time)."""

    first_ms: int
    step_ms: int
    steps: int
    sites: list[SiteSeries]
    unreachable: list[str] = field(default_factory=list)
