"""What a site's gateways did lately, minute by minute, from counters that only grow and start anew with a worker."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgemind.domain.kpi import REQUESTS_WINDOW_S
from edgemind.domain.worker_reports import GatewayCounters, WorkerReport

MINUTES = 15
WINDOW_MINUTES = REQUESTS_WINDOW_S // 60
MEASURES_VERSION = 1
Worker = tuple[str | None, int, int]
"""(admin address, number, process): counters of another process start anew."""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """Admitted requests of some time; `late`, `failed` and `shed` are of those, `in_cloud` ran in the cloud tier.

    `added_ms_p99` is the worst that the workers told of their last seconds.
    """

    requests: int = 0
    late: int = 0
    failed: int = 0
    shed: int = 0
    in_cloud: int = 0
    added_ms_p99: float | None = None

    def named(self) -> dict[str, int]:
        """By the names that the KPI catalogue has for them."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "shed": self.shed,
            "late": self.late,
            "cloud": self.in_cloud,
        }

    def __add__(self, other: "RequestCounts") -> "RequestCounts":
        added = [ms for ms in (self.added_ms_p99, other.added_ms_p99) if ms is not None]
        return RequestCounts(
            self.requests + other.requests,
            self.late + other.late,
            self.failed + other.failed,
            self.shed + other.shed,
            self.in_cloud + other.in_cloud,
            max(added, default=None),
        )


@dataclass(frozen=True, slots=True)
class SiteMeasures:
    """One site's counts; `minutes` ends with the last 60 s, None where the controller did not look yet.

    `gateway`: whether a gateway reports just now. `added_ms_p99` is of the last seconds, None where no model server
    states its own service time.
    """

    site: str
    at_ms: int
    gateway: bool
    minutes: list[RequestCounts | None] = field(default_factory=list)
    added_ms_p99: float | None = None
    v: int = MEASURES_VERSION


class Growth:
    """Counters of workers that come and go, as growth. The first look at a worker is where its counting begins."""

    def __init__(self) -> None:
        self._last: dict[Worker, GatewayCounters] = {}

    def since_last(self, reports: Iterable[WorkerReport], cloud: str | None) -> RequestCounts:
        """`cloud` is the name of the cloud tier, if there is one."""
        grown = RequestCounts()
        for report in reports:
            worker = report.admin, report.worker, report.pid
            before, now = self._last.get(worker, report.counters), report.counters
            self._last[worker] = now
            grown += RequestCounts(
                max(0, now.requests - before.requests),
                max(0, now.late - before.late),
                max(0, now.failed - before.failed),
                max(0, now.shed - before.shed),
                max(0, _of(now.by_site, cloud) - _of(before.by_site, cloud)),
                now.added_ms_p99,
            )
        # A worker that is silent for a while counts on; only so many are remembered.
        for worker in list(self._last)[: max(0, len(self._last) - 512)]:
            del self._last[worker]
        return grown


def _of(by_site: Mapping[str, int], name: str | None) -> int:
    return by_site.get(name, 0) if name is not None else 0


class MinuteCounts:
    """Counts by age. Times are monotonic seconds, passed in."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._counts: deque[tuple[float, RequestCounts]] = deque()

    def add(self, now_s: float, counts: RequestCounts) -> None:
        self._counts.append((now_s, counts))
        while self._counts[0][0] <= now_s - 60.0 * MINUTES:
            self._counts.popleft()

    def minutes(self, now_s: float) -> list[RequestCounts | None]:
        """The oldest first; a minute that nobody looked at all the while is None, but for the one under way."""
        looked = min(float(MINUTES), max(1.0, (now_s - self._since_s) // 60.0))
        by_age: list[RequestCounts | None] = [RequestCounts() if age < looked else None for age in range(MINUTES)]
        for at_s, counts in self._counts:
            age = int((now_s - at_s) // 60.0)
            if age < MINUTES:
                by_age[age] = (by_age[age] or RequestCounts()) + counts
        return by_age[::-1]


def in_window(minutes: Iterable[RequestCounts | None]) -> RequestCounts | None:
    """The sum over the newest `WINDOW_MINUTES` of what was looked at; None if nothing was."""
    known = [one for one in list(minutes)[-WINDOW_MINUTES:] if one is not None]
    return sum(known, RequestCounts()) if known else None


def added_up(sites: Iterable[SiteMeasures]) -> list[RequestCounts | None]:
    """Minute by minute over all sites that counted; a site that does not know a minute is missing in it."""
    total: list[RequestCounts | None] = [None] * MINUTES
    for site in sites:
        for age, counts in enumerate(reversed(site.minutes[-MINUTES:])):
            place = MINUTES - 1 - age
            if counts is not None:
                total[place] = (total[place] or RequestCounts()) + counts
    return total
