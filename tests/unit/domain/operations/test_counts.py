from dataclasses import replace

from edgemind.domain.operations.counts import (
    MINUTES,
    Growth,
    MinuteCounts,
    RequestCounts,
    SiteMeasures,
    added_up,
    in_window,
)
from edgemind.domain.worker_reports import GatewayCounters, WorkerReport


def worker(number: int = 0, pid: int = 1, **counters: int) -> WorkerReport:
    by_site = {"cloud": counters.pop("in_cloud", 0)}
    told = GatewayCounters(by_site=by_site, **counters)  # type: ignore[arg-type]
    return WorkerReport("site-a", number, 1, pid, False, 1, {}, told, ())


def test_the_first_look_at_a_worker_is_where_its_counting_begins() -> None:
    growth = Growth()
    assert growth.since_last([worker(requests=1000, late=7)], "cloud").requests == 0
    grown = growth.since_last([worker(requests=1010, late=9, failed=1, shed=2, in_cloud=4)], "cloud")
    assert grown == RequestCounts(10, 2, 1, 2, 4)


def test_a_worker_that_is_silent_for_a_while_is_not_counted_twice() -> None:
    growth = Growth()
    growth.since_last([worker(0, requests=100), worker(1, requests=50)], None)
    growth.since_last([worker(0, requests=110)], None)
    assert growth.since_last([worker(0, requests=120), worker(1, requests=60)], None).requests == 20


def test_a_worker_that_was_started_anew_counts_from_its_own_beginning() -> None:
    growth = Growth()
    growth.since_last([worker(pid=1, requests=100)], None)
    assert growth.since_last([worker(pid=2, requests=3)], None).requests == 0
    assert growth.since_last([worker(pid=2, requests=8)], None).requests == 5


def test_minutes_are_by_age_and_what_nobody_looked_at_is_unknown() -> None:
    counted = MinuteCounts(now_s=1000.0)
    counted.add(1010.0, RequestCounts(requests=1))
    counted.add(1070.0, RequestCounts(requests=2))
    counted.add(1130.0, RequestCounts(requests=4))
    minutes = counted.minutes(1131.0)
    assert [one.requests if one else None for one in minutes] == [*[None] * (MINUTES - 3), 1, 2, 4]
    assert in_window(minutes) == RequestCounts(requests=7)
    assert all(one is not None and one.requests == 0 for one in counted.minutes(1131.0 + 60.0 * 16))


def test_a_quarter_of_an_hour_is_kept_and_no_more() -> None:
    counted = MinuteCounts(0.0)
    for at in range(0, 7200, 2):
        counted.add(float(at), RequestCounts(requests=1))
    assert len(counted._counts) <= 30 * MINUTES
    assert [one.requests if one else None for one in counted.minutes(7199.0)] == [30] * MINUTES


def test_sites_add_up_minute_by_minute() -> None:
    long_up = SiteMeasures("a", 0, True, [RequestCounts(requests=1)] * MINUTES)
    just_up = SiteMeasures("b", 0, True, [*[None] * (MINUTES - 1), RequestCounts(requests=5, added_ms_p99=3.0)])
    of_another_version = replace(just_up, minutes=[RequestCounts(requests=2)])
    total = added_up([long_up, just_up, of_another_version])
    assert [one.requests if one else None for one in total] == [*[1] * (MINUTES - 1), 8]
    assert total[-1] is not None
    assert total[-1].added_ms_p99 == 3.0
    assert in_window([None] * MINUTES) is None
