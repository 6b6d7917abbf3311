from typing import Any

import pytest

from edgemind.domain.beacons import ModelLoad
from edgemind.domain.wire import DocumentInvalid
from edgemind.domain.worker_reports import (
    GatewayCounters,
    WorkerReport,
    merge_counters,
    merge_loads,
    parse_worker_report,
)
from tests.support.controllers import decision_document, report_document


def load_of(**changes: Any) -> dict[str, Any]:
    return {"in_flight": 1, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 5.0, "ready": True, **changes}


def parsed(worker: int, **load: Any) -> WorkerReport:
    return parse_worker_report(report_document("site-a", worker, models={"m": load_of(**load)}))


def test_a_whole_report_is_read() -> None:
    stats = {
        "requests": 5, "ok": 4, "late": 2, "failed": 1, "requests_per_s": 2.5, "added_ms_p50": 0.4,
        "added_ms_p99": None, "by_site": {"site-a": 5}, "from_a_newer_gateway": 1,
    }  # fmt: skip
    shed = decision_document("x", 6, site=None, status=503)
    decisions = [decision_document("dec-site-a-0-0000000000000001", 5), shed]

    report = parse_worker_report(report_document("site-a", 3, table_version=9, stats=stats, decisions=decisions))

    assert (report.site, report.worker, report.table_version) == ("site-a", 3, 9)
    assert (report.counters.ok, report.counters.added_ms_p50, report.counters.by_site) == (4, 0.4, {"site-a": 5})
    assert [decision.site for decision in report.decisions] == ["site-a", None]
    assert report.counters.late == 2


def test_a_worker_of_a_version_before_counts_nothing_late() -> None:
    assert parse_worker_report(report_document("site-a", stats={"requests": 5, "ok": 5})).counters.late == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"worker": "0"}, "report.worker"),
        ({"stats": []}, "report.stats"),
        ({"stats": {"ok": 1.5}}, "report.stats.ok"),
        ({"decisions": {}}, "report.decisions"),
        ({"decisions": [{}]}, "report.decisions[0].id"),
        ({"v": None}, "report.v"),
        ({"admin": "10.0.0.1:8150"}, "report.admin"),
        ({"admin": "http://10.0.0.1:8150/x"}, "report.admin"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentInvalid) as refused:
        parse_worker_report(report_document("site-a", **changes))
    assert field in str(refused.value)


def test_workers_add_up_their_requests_and_share_their_slots() -> None:
    merged = merge_loads([parsed(0, in_flight=1), parsed(1, in_flight=3)])

    assert merged["m"] == ModelLoad(in_flight=4, slots=4, service_ms=10.0, ready=True, arrivals_per_s=10.0)


def test_measured_service_times_weigh_by_the_requests_behind_them() -> None:
    busy = parsed(0, service_ms=20.0, arrivals_per_s=9.0)
    idle = parsed(1, service_ms=10.0, arrivals_per_s=1.0)
    assert merge_loads([busy, idle])["m"].service_ms == pytest.approx(19.0)

    unasked = [parsed(k, service_ms=ms, arrivals_per_s=0.0) for k, ms in enumerate((10.0, 20.0))]
    assert merge_loads(unasked)["m"].service_ms == pytest.approx(15.0)


def test_one_ready_worker_is_enough() -> None:
    assert merge_loads([parsed(0, ready=False), parsed(1)])["m"].ready
    assert not merge_loads([parsed(0, ready=False)])["m"].ready


def test_counters_add_up_and_percentiles_do_not() -> None:
    one = GatewayCounters(requests=30, ok=30, late=4, added_ms_p50=1.0, added_ms_p99=2.0, by_reason={"table": 30})
    other = GatewayCounters(
        requests=10, ok=9, late=1, failed=1, added_ms_p50=2.0, added_ms_p99=9.0, by_reason={"retry": 10}
    )

    merged = merge_counters([one, other, GatewayCounters()])

    assert (merged.requests, merged.ok, merged.late, merged.failed) == (40, 39, 5, 1)
    assert merged.added_ms_p50 == pytest.approx(1.25)
    assert merged.added_ms_p99 == 9.0
    assert merged.by_reason == {"table": 30, "retry": 10}


def test_nothing_merged_is_nothing() -> None:
    assert merge_loads([]) == {}
    assert merge_counters([]) == GatewayCounters()
