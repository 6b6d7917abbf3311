"""The report: counts that add up, and a failover told as it was."""

import json
from dataclasses import replace
from random import Random

import pytest

from edgemind.domain.device_mixes import EVERYDAY
from edgemind.domain.swarm.summaries import summary_of
from edgemind.domain.swarm.vote_documents import vote_document
from edgemind.services.demo_course import rounds_document
from edgemind.services.demo_report import Event, Failover, RunFacts, Tally, report_document
from edgemind.services.devices.outcomes import Outcome, Result
from tests.support.round_records import effect, round_record, strands_vote

FACTS = RunFacts("normal", "simulated", "hybrid", ("a", "b"), 7, 30.0, {"simulated-detector": True})
ACTIVITY = EVERYDAY[0]


def tally() -> Tally:
    return Tally(("a", "b"), 100.0, Random(1))


def ok(site: str = "a", reason: str = "table", total_ms: float = 20.0, added_ms: float | None = 2.0) -> Outcome:
    return Outcome(ACTIVITY, "a", Result.OK, 101.0, total_ms, site, reason, "dec", added_ms)


def failed(ended_s: float, why: str = "cut") -> Outcome:
    return Outcome(ACTIVITY, "b", Result.FAILED, ended_s, 5.0, why=why)


def test_an_empty_run() -> None:
    report = report_document(FACTS, tally(), 0.0, [], None)
    assert report["requests"] == {"sent": 0, "ok": 0, "shed": 0, "failed": 0}
    assert report["added_latency_ms"] == {"p50": None, "p99": None}
    assert report["slo_attainment"] is None
    assert "failover" not in report
    json.dumps(report)


def test_counts_by_everything() -> None:
    counted = tally()
    outcomes = [ok(), ok("b", "override"), ok("simulated-cloud", "cloud", total_ms=151.0), failed(101.0)]
    outcomes.append(Outcome(ACTIVITY, "b", Result.SHED, 101.0, 1.0, None, "shed:overloaded"))
    for home, outcome in zip("aabbb", outcomes, strict=True):
        counted.on_sent(home, 101.0)
        counted.on_outcome(outcome)
    report = report_document(FACTS, counted, 20.0, [Event(1.234, "x")], None)
    assert report["requests"] == {"sent": 5, "ok": 3, "shed": 1, "failed": 1}
    assert report["sent_by_site"] == {"a": 2, "b": 3}
    assert report["by_site"] == {"a": 1, "b": 1, "simulated-cloud": 1}
    assert report["by_reason"] == {"table": 1, "override": 1, "cloud": 1}
    assert report["by_model"] == {ACTIVITY.model: 3}
    assert report["shed_by_reason"] == {"overloaded": 1}
    assert report["failures"] == {"cut": 1}
    # One of the three answers was later than the 150 ms it had.
    assert report["slo_attainment"] == 0.4
    assert report["events"] == [{"at_s": 1.23, "text": "x"}]
    assert (report["sites"], report["seed"], report["backend"], report["policy"]) == (2, 7, "simulated", "hybrid")


def test_added_latency_is_of_the_answers_that_tell_it() -> None:
    counted = tally()
    for added_ms in (1.0, 2.0, 3.0, None):
        counted.on_outcome(ok(added_ms=added_ms))
    assert report_document(FACTS, counted, 1.0, [], None)["added_latency_ms"] == {"p50": 2.0, "p99": 3.0}
    assert counted.recent_added(101.0) == (2.0, 3.0)
    assert counted.recent_added(200.0) == (None, None)


def test_a_failover_counts_what_failed_after_it_was_noticed() -> None:
    counted = tally()
    for moment_s in (110.0, 110.1, 110.4, 120.0):
        counted.on_outcome(failed(moment_s))
    report = report_document(FACTS, counted, 20.0, [], Failover("b", 110.0, 300.0, ("a",)))
    assert report["failover"] == {"site": "b", "detected_ms": 300.0, "failed_after_detection": 2, "surviving": ["a"]}


def test_a_failover_that_nobody_noticed_claims_nothing() -> None:
    report = report_document(FACTS, tally(), 20.0, [], Failover("b", 110.0, None, ("a",)))
    assert report["failover"] == {"site": "b", "detected_ms": None, "failed_after_detection": None, "surviving": ["a"]}


def test_every_failure_is_counted_however_many_texts_there_are() -> None:
    counted = tally()
    for number in range(300):
        counted.on_outcome(failed(101.0, f"failure {number}"))
    assert counted.failed_since(0.0) == 300
    assert sum(counted.failures.values()) == 300
    assert counted.failures["other"] == pytest.approx(250)


def test_requests_a_second_are_those_of_the_last_seconds() -> None:
    counted = tally()
    for tenth in range(50):
        counted.on_sent("a", 100.0 + tenth / 10)
    assert counted.requests_per_s(105.0) == pytest.approx(10.0)


def test_attainment_over_time_goes_by_when_a_request_was_sent() -> None:
    counted = tally()
    late = Outcome(ACTIVITY, "a", Result.OK, 112.0, 7_500.0, "a", "table", "dec")
    for outcome in (ok(), late, failed(117.0)):
        counted.on_outcome(outcome)
    report = report_document(FACTS, counted, 20.0, [], None)
    assert report["attainment_by_5s"] == [
        {"from_s": 0, "requests": 2, "attainment": 0.5},
        {"from_s": 5, "requests": 0, "attainment": None},
        {"from_s": 10, "requests": 0, "attainment": None},
        {"from_s": 15, "requests": 1, "attainment": 0.0},
    ]


def test_rounds_are_told_with_the_promised_keys() -> None:
    record = round_record(7)
    kept = replace(record, effects=(effect(record, "undone"),))
    votes = {str(record.fence): {"site-a": vote_document(strands_vote(record, "site-a"))}}
    (told,) = rounds_document([summary_of(kept)], votes, record.at_ms - 2500.0)
    promised = {
        "n": 7,
        "outcome": "SHIFT",
        "target": "site-c",
        "decided_ms": 31.2,
        "ballots": 3,
        "coordinator": "site-a",
    }
    assert told | promised == told
    assert told["at_s"] == 2.5
    assert told["effects"] == [{"site": "site-c", "what": "replicas of llm = 2", "state": "undone"}]
    voters = told["voters"]
    assert isinstance(voters, list)
    [voter] = voters
    assert (voter["site"], voter["voter"]) == ("site-a", "strands")
    assert voter["tool_calls"][0]["tool"]
    assert rounds_document([summary_of(kept)], {}, 0.0)[0]["voters"] == []
    json.dumps(told)
