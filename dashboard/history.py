"""What growing counters amount to: who sent how much where in the last minute, and how the fleet went lately. Pure."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgemind.domain.fleet_status import FleetStatus, SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.domain.worker_reports import GatewayCounters

FLOW_WINDOW_MS = 60_000
TREND_POINTS = 450
"""A quarter of an hour, at one point in two seconds."""
GAP_MS = 10_000
"""Longer between two readings, nobody looked: the line is not drawn across."""
IN_SERVICE = frozenset({SiteState.ALIVE, SiteState.DRAINING, SiteState.DECLARED})


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The fleet at one moment (wall time). `stretch` numbers the times without a gap."""

    at_ms: int
    stretch: int
    requests_per_s: float
    added_ms_p50: float | None
    added_ms_p99: float | None


@dataclass(slots=True)
class Flows:
    """Requests of a stretch of time, by what became of them. `seconds` None: since the gateways started."""

    seconds: float | None = None
    by_ingress: dict[str, Counter[str]] = field(default_factory=dict)
    by_reason: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)

    def add(self, ingress: str, grown: GatewayCounters) -> None:
        self.by_ingress.setdefault(ingress, Counter()).update(grown.by_site)
        self.by_reason.update(grown.by_reason)
        self.ended.update(ok=grown.ok, shed=grown.shed, failed=grown.failed)


@dataclass(frozen=True, slots=True)
class Reading:
    """The gateways' counters at one moment, by ingress."""

    at_ms: int
    counters: Mapping[str, GatewayCounters]


class History:
    """Bounded: a minute of counters, a quarter of an hour of trend. Not thread-safe; its client locks."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()
        self._trend: deque[TrendPoint] = deque(maxlen=TREND_POINTS)

    def add(self, fleet: FleetStatus) -> None:
        """A reading that is not newer than the last one is left aside: clocks of two controllers may differ."""
        last = self._trend[-1] if self._trend else None
        if last is not None and fleet.at_ms <= last.at_ms < fleet.at_ms + GAP_MS:
            return
        gap = last is None or not 0 <= fleet.at_ms - last.at_ms <= GAP_MS
        stretch = (last.stretch if last else 0) + gap
        p50, p99 = added_latency(fleet.sites)
        self._trend.append(TrendPoint(fleet.at_ms, stretch, requests_per_s(fleet.sites), p50, p99))
        if gap:
            self._readings.clear()
        counters = {site.name: site.gateway.counters for site in fleet.sites if site.gateway}
        self._readings.append(Reading(fleet.at_ms, counters))
        while fleet.at_ms - self._readings[0].at_ms > FLOW_WINDOW_MS:
            self._readings.popleft()

    def trend(self) -> tuple[TrendPoint, ...]:
        return tuple(self._trend)

    def flows(self) -> Flows:
        return flows(self._readings)


def flows(readings: Iterable[Reading]) -> Flows:
    """What grew between the first and the last reading; from one reading only, everything since the start."""
    known = list(readings)
    if len(known) < 2:
        total = Flows()
        for name, counters in known[0].counters.items() if known else ():
            total.add(name, counters)
        return total
    result = Flows((known[-1].at_ms - known[0].at_ms) / 1000.0)
    latest: dict[str, GatewayCounters] = {}
    for reading in known:
        for name, counters in reading.counters.items():
            if name in latest:
                result.add(name, _growth(latest[name], counters))
            latest[name] = counters
    return result


def in_service(site: SiteStatus) -> bool:
    """Whether what is shown of it is of now: of a site that is down, only its last words are known."""
    return site.state in IN_SERVICE


def requests_per_s(sites: Iterable[SiteStatus]) -> float:
    return sum(site.requests_per_s for site in sites if in_service(site))


def added_latency(sites: Iterable[SiteStatus]) -> tuple[float | None, float | None]:
    """(p50, p99) in milliseconds. Percentiles do not add up: the mean weighted by requests, and the worst ingress."""
    counted = [site.gateway.counters for site in sites if site.gateway and in_service(site)]
    p50s = [(one.added_ms_p50, max(one.requests_per_s, 0.01)) for one in counted if one.added_ms_p50 is not None]
    p99s = [one.added_ms_p99 for one in counted if one.added_ms_p99 is not None]
    p50 = sum(ms * weight for ms, weight in p50s) / sum(weight for _, weight in p50s) if p50s else None
    return p50, max(p99s, default=None)


def _growth(before: GatewayCounters, after: GatewayCounters) -> GatewayCounters:
    # Fewer than before: the gateway was started anew, and everything it counted is new.
    base = before if after.requests >= before.requests else GatewayCounters()
    return GatewayCounters(
        requests=after.requests - base.requests,
        ok=_grown(base.ok, after.ok),
        shed=_grown(base.shed, after.shed),
        failed=_grown(base.failed, after.failed),
        late=_grown(base.late, after.late),
        by_site=_grown_each(base.by_site, after.by_site),
        by_reason=_grown_each(base.by_reason, after.by_reason),
    )


def _grown(before: int, after: int) -> int:
    return max(0, after - before)


def _grown_each(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: _grown(before.get(name, 0), count) for name, count in after.items()}
