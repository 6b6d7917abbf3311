from collections import Counter

import pytest

from edgemind.services.gateway_stats import ArrivalRate, GatewayStats, RecentStats


def test_routed_requests_are_counted_by_site_reason_and_model() -> None:
    stats = GatewayStats()
    stats.routed("site-a", "table", "m")
    stats.routed("site-b", "table", "m")
    assert (stats.by_site["site-a"], stats.by_reason["table"], stats.by_model["m"]) == (1, 2, 2)


def test_an_arrival_rate_follows_the_counts_and_falls_to_nothing() -> None:
    rate, total = ArrivalRate(window_s=1.0), Counter[str]()
    rate.update(total, 0.0)
    assert rate.per_s == {}
    for step in range(1, 101):
        total["m"] += 5
        rate.update(total, step * 0.1)
    assert rate.per_s["m"] == pytest.approx(50.0)
    for step in range(101, 201):
        rate.update(total, step * 0.1)
    assert rate.per_s["m"] == pytest.approx(0.0, abs=0.01)


def test_two_reports_at_one_moment_are_no_infinite_rate() -> None:
    rate = ArrivalRate()
    rate.update(Counter(m=1), 5.0)
    rate.update(Counter(m=100), 5.0)
    assert rate.per_s == {}
    rate.update(Counter(m=102), 6.0)
    assert rate.per_s == {"m": 2.0}


def test_a_report_has_totals_and_what_happened_lately() -> None:
    stats = GatewayStats()
    recent = RecentStats(stats, keep_s=10.0)
    first = recent.report(0.0)
    assert (first["requests"], first["requests_per_s"], first["added_ms_p50"]) == (0, 0.0, None)
    stats.requests, stats.ok, stats.late = 50, 49, 3
    stats.added.observe(0.6)
    report = recent.report(5.0)
    assert (report["requests"], report["ok"], report["requests_per_s"]) == (50, 49, 10.0)
    assert report["late"] == 3
    assert 0.5 <= report["added_ms_p50"] <= 0.75


def test_what_is_long_past_no_longer_counts_as_lately() -> None:
    stats = GatewayStats()
    recent = RecentStats(stats, keep_s=10.0)
    recent.report(0.0)
    stats.requests = 1000
    stats.added.observe(500.0)
    for second in range(1, 60):
        report = recent.report(float(second))
    assert (report["requests"], report["requests_per_s"], report["added_ms_p99"]) == (1000, 0.0, None)
