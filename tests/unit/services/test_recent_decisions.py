import json

import pytest

from edgemind.domain.requests import Constraints, Demand, Priority
from edgemind.services.recent_decisions import RecentDecisions, explain, summarize
from edgemind.services.route_request import RequestRouter
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import cloud, endpoint, fleet, record, router, site


def three_places() -> RequestRouter:
    return router(
        fleet(
            site("site-a", endpoint(service_ms=20), zones=("de",)),
            site("site-b", endpoint(url="http://b:1", service_ms=30), rtt_ms=7.0),
            cloud=cloud(endpoint(url="http://c:1", service_ms=10)),
        )
    )


def test_decisions_are_found_by_id_until_the_ring_is_full() -> None:
    recent, of = RecentDecisions(limit=3), three_places()
    for number in range(5):
        recent.add(record(of, f"dec-{number}"))
    assert [recent.find(f"dec-{number}") is not None for number in range(5)] == [False, False, True, True, True]
    assert [one.decision_id for one in recent.latest(2)] == ["dec-4", "dec-3"]
    assert len(recent.latest(99)) == 3


def test_a_summary_is_one_line() -> None:
    of = three_places()
    decided = record(of)
    assert summarize(decided)["site"] is None
    decided.chosen, decided.reason, decided.predicted_ms = decided.candidates.members[1], "table", 37.00049
    decided.actual_ms, decided.status = 41.5, 200
    assert summarize(decided) == {
        "id": "dec-site-a-0-1",
        "at_ms": 1_700_000_000_000,
        "model": "m",
        "tenant": "demo",
        "site": "site-b",
        "reason": "table",
        "predicted_ms": 37.0,
        "actual_ms": 41.5,
        "status": 200,
        "residency": [],
        "zones": [],
    }


def test_an_explanation_shows_terms_runner_up_and_exclusions() -> None:
    of = three_places()
    of.close_sites({"site-b": "draining"})
    decided = record(of)
    decided.chosen = decided.candidates.members[0]
    told = explain(decided, "site-a")
    assert (told["chosen"], told["runner_up"], told["site"]) == ("site-a", "cloud", "site-a")
    assert told["exclusions"] == [{"site": "site-b", "why": "draining"}]
    rows = {row["site"]: row for row in told["candidates"]}
    assert (rows["site-a"]["rtt_ms"], rows["site-a"]["service_ms"], rows["site-a"]["expected_ms"]) == (0.0, 20.0, 20.0)
    assert (rows["cloud"]["tier"], rows["cloud"]["expected_ms"], rows["cloud"]["weight"]) == ("cloud", 50.0, 0.0)
    assert rows["site-a"]["weight"] == 1.0
    json.dumps(told)


def test_an_explanation_shows_the_moment_of_the_decision_and_not_of_the_question() -> None:
    of = three_places()
    member = of.candidates(Constraints("m")).members[1]
    for _ in range(6):
        member.sent()
    decided = record(of)
    for _ in range(6):
        member.finished()
    member.measured(99.0, 99.0, 9)
    row = explain(decided, "site-a")["candidates"][1]
    assert (row["rtt_ms"], row["service_ms"], row["slots"]) == (7.0, 30.0, 4)
    assert row["waiting_ms"] == pytest.approx(3 / 4 * 30.0)
    assert row["expected_ms"] == pytest.approx(37.0 + 22.5)
    assert row["in_flight"] == 6


def test_a_candidate_without_fresh_news_has_no_cost() -> None:
    clock = ManualClock()
    of = router(fleet(site("site-a", endpoint()), site("site-b", endpoint(), gateway="http://b:1")), clock)
    clock.advance(60.0)
    of.tick()
    row = explain(record(of), "site-a")["candidates"][1]
    assert (row["fresh"], row["expected_ms"], row["waiting_ms"], row["in_flight"]) == (False, None, None, None)


def test_what_was_asked_for_is_told_as_well() -> None:
    decided = record(three_places())
    decided.demand = Demand(250.0, Priority.HIGH, "site-b")
    decided.attempts = (("site-a", "answered 503"), ("site-b", "answered 200"))
    told = explain(decided, "site-a")
    assert (told["deadline_ms"], told["priority"], told["session"]) == (250.0, "high", "site-b")
    assert told["attempts"][1] == {"site": "site-b", "outcome": "answered 200"}
