"""KPIs of the metro just now, from what its sites counted, its rounds, and the age of its sites' reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edgemind.domain.kpi import KPIS, REQUESTS_WINDOW_S, Kpi, OfRequests, Tier
from edgemind.domain.operations.counts import (
    MINUTES,
    WINDOW_MINUTES,
    RequestCounts,
    SiteMeasures,
    added_up,
    in_window,
)
from edgemind.domain.operations_status import KpiStatus
from edgemind.domain.samples import quantile
from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.domain.swarm.summaries import RoundSummary

ROUNDS_WINDOW_MS = 60_000 * MINUTES
LATELY_S = 10
"""What `added_ms_p99` of a gateway is of."""
NO_SERVICE_TIME = "no request ended lately at a model server that states its own service time"
NO_ROUNDS = f"the swarm decided no round in the last {MINUTES} min"
ELSEWHERE = {
    "recovery_time_min": "no drill reports to a controller: `edgemind simulate` and CI run them",
    "recovery_point_min": "no drill reports to a controller: `edgemind simulate` and CI run them",
    "spend_ratio": "the account's bill is not known to a controller: it is watched by the budget in the account",
}
"""What a controller cannot measure, and who does."""
Trend = list[float | None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A KPI's value; `requests` is how many it rests on, None where it rests on none.

    `quiet` says that too little happened to judge by, where all of the window is known: then nothing is wrong. What
    could not be asked for is no reason to say so.
    """

    value: float | None
    window_s: int | None = None
    why: str | None = None
    trend: Trend = field(default_factory=list)
    requests: int | None = None
    quiet: str | None = None


@dataclass(frozen=True, slots=True)
class MetroMeasures:
    """What one controller gathered. `ages_ms`: of each site's newest report; `age_trend`: the oldest, minute by minute.

    Rounds carry wall times of the sites that held them: near enough for minutes.
    """

    sites: Sequence[SiteMeasures]
    rounds: Sequence[RoundSummary]
    ages_ms: Mapping[str, float]
    age_trend: Trend
    wall_ms: int
    unreachable: Sequence[str] = ()


def metro_kpis(measures: MetroMeasures) -> dict[str, Measured]:
    """Every KPI of the catalogue."""
    minutes = added_up(measures.sites)
    oldest = max(measures.ages_ms, key=lambda site: measures.ages_ms[site], default=None)
    age = Measured(None, None, "no site has a controller", measures.age_trend)
    if oldest is not None:
        age = Measured(round(measures.ages_ms[oldest], 1), None, f"the oldest is {oldest}'s", measures.age_trend)
    return {
        **{name: Measured(None, None, why) for name, why in ELSEWHERE.items()},
        **_of_rounds(measures),
        "site_report_age_ms": age,
        **_ratios(measures, minutes),
        "added_latency_ms": _added(measures, minutes),
    }


def statuses(measured: Mapping[str, Measured], tier: Tier) -> list[KpiStatus]:
    """In the order of the catalogue."""
    return [_status(kpi, measured[kpi.name], tier) for kpi in KPIS]


def _status(kpi: Kpi, one: Measured, tier: Tier) -> KpiStatus:
    return KpiStatus(
        name=kpi.name,
        title=kpi.title,
        unit=kpi.unit,
        definition=kpi.definition,
        good=kpi.good.value,
        value=one.value,
        target=kpi.limits[tier].target,
        level=kpi.level(one.value, tier),
        why=one.why,
        trend=one.trend,
        window_s=one.window_s,
    )


def _ratios(measures: MetroMeasures, minutes: Sequence[RequestCounts | None]) -> dict[str, Measured]:
    window, left_out, known = in_window(minutes), _left_out(measures), _all_known(measures)
    found = {}
    for kpi, of in ((kpi, kpi.of_requests) for kpi in KPIS if kpi.of_requests is not None):
        trend = [_ratio(of, one) for one in minutes]
        value, requests = _ratio(of, window), 0 if window is None else _counted(of, window)
        none = f"no request was {'served' if of.left_out else 'admitted'} in the last {WINDOW_MINUTES} min"
        quiet = f"fewer than {of.least} requests in the last {WINDOW_MINUTES} min"
        found[kpi.name] = Measured(
            value,
            REQUESTS_WINDOW_S,
            left_out if value is not None else none,
            trend,
            requests,
            quiet if known and requests < of.least else None,
        )
    return found


def _all_known(measures: MetroMeasures) -> bool:
    """Whether every site told of every request of the window."""
    told = [site.gateway and None not in site.minutes[-WINDOW_MINUTES:] for site in measures.sites]
    return bool(told) and all(told) and not measures.unreachable


def _ratio(of: OfRequests, counts: RequestCounts | None) -> float | None:
    """Requests end after they are counted: in a short time more may have failed than were admitted."""
    if counts is None or not _counted(of, counts):
        return None
    bad = sum(counts.named()[name] for name in of.bad)
    return round(max(0.0, 1.0 - bad / _counted(of, counts)), 6)


def _counted(of: OfRequests, counts: RequestCounts) -> int:
    named = counts.named()
    return max(0, named["requests"] - sum(named[name] for name in of.left_out))


def _added(measures: MetroMeasures, minutes: Iterable[RequestCounts | None]) -> Measured:
    known = {site.site: site.added_ms_p99 for site in measures.sites if site.added_ms_p99 is not None}
    trend = [one.added_ms_p99 if one is not None else None for one in minutes]
    if not known:
        # Between two requests of a quiet site nothing is known of either.
        never = all(one is None for one in trend[-WINDOW_MINUTES:])
        quiet = NO_SERVICE_TIME if never and _all_known(measures) else None
        return Measured(None, LATELY_S, NO_SERVICE_TIME, trend, quiet=quiet)
    worst = max(known, key=lambda site: known[site])
    return Measured(round(known[worst], 2), LATELY_S, f"the worst site's, {worst}", trend)


def _of_rounds(measures: MetroMeasures) -> dict[str, Measured]:
    window_s = ROUNDS_WINDOW_MS // 1000
    by_minute: list[list[RoundSummary]] = [[] for _ in range(MINUTES)]
    for one in measures.rounds:
        age = max(0, measures.wall_ms - one.at_ms) // 60_000
        if age < MINUTES and (one.timed_out or one.decided_ms is not None):
            by_minute[MINUTES - 1 - age].append(one)
    counted = [one for rounds in by_minute for one in rounds]
    why = _left_out(measures) if counted else NO_ROUNDS
    decided, in_time = [_p99(rounds) for rounds in by_minute], [_in_time(rounds) for rounds in by_minute]
    quiet = None if counted or measures.unreachable else NO_ROUNDS
    return {
        "swarm_coordination_ms": Measured(_p99(counted), window_s, why, decided, quiet=quiet),
        "consensus_success_ratio": Measured(_in_time(counted), window_s, why, in_time, quiet=quiet),
    }


def _p99(rounds: Iterable[RoundSummary]) -> float | None:
    slowest = quantile([one.decided_ms for one in rounds if one.decided_ms is not None], 0.99)
    return None if slowest is None else round(slowest, 1)


def _in_time(rounds: Sequence[RoundSummary]) -> float | None:
    good = [one for one in rounds if not one.timed_out and (one.decided_ms or 0.0) <= TARGET_MS]
    return round(len(good) / len(rounds), 4) if rounds else None


def _left_out(measures: MetroMeasures) -> str | None:
    return f"without {', '.join(measures.unreachable)}, which did not answer" if measures.unreachable else None
