"""Recent rounds under a change: what is a regression, what is none, and when nobody can tell."""

from dataclasses import replace

import pytest

from edgemind.domain.advice.judged_rounds import judge, relief
from edgemind.domain.advice.replay import LEAST_ROUNDS, replay_change
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Outcome
from edgemind.domain.swarm.voter import SiteLoad
from tests.support.advice import STANDING, judged_round, judged_rounds

MARGINAL = {"site-a": SiteLoad(12, 15.0), "site-b": SiteLoad(12, 11.5), "site-c": SiteLoad(12, 7.0)}
"""Site-a is over, and the best shift takes less than a tenth away."""
HELPS = judged_rounds(LEAST_ROUNDS)
RESTED = judged_rounds(LEAST_ROUNDS, since_change_ms=3000.0)
"""Voted within the cooldown of 5 s, but not within half of it."""
OUT = Outcome(Candidate(Action.SCALE_OUT, "site-a", 2, model="llm"))


def test_too_few_rounds_are_no_evidence() -> None:
    verdict = replay_change(judged_rounds(LEAST_ROUNDS - 1), STANDING, {"swarm.hysteresis_ratio": 0.12})
    assert (verdict.harmless, verdict.rounds) == (False, LEAST_ROUNDS - 1)
    assert verdict.reason == "no evidence: 4 recorded rounds can be judged, and it takes 5"
    blind = [replace(record, votes={}) for record in judged_rounds(20)]
    assert replay_change(blind, STANDING, {"swarm.hysteresis_ratio": 0.12}).rounds == 0


def test_a_change_that_alters_no_round_is_harmless_with_its_numbers() -> None:
    verdict = replay_change(HELPS, STANDING, {"swarm.hysteresis_ratio": 0.12})
    assert verdict.harmless
    assert verdict.reason.startswith("harmless in 5 rounds: none given up, mean relief 0.")
    assert verdict.numbers["given_up"] == verdict.numbers["won"] == 0
    assert verdict.numbers["relief_before"] == verdict.numbers["relief_after"] > 0.1


def test_a_higher_hysteresis_that_gives_up_helpful_changes_is_a_regression() -> None:
    helpful = judge(HELPS[0], STANDING)
    assert helpful.changes
    too_high = min(0.5, helpful.relief + 0.05)
    demanding = replay_change(HELPS, STANDING, {"swarm.hysteresis_ratio": too_high})
    assert not demanding.harmless
    assert demanding.numbers["given_up"] == LEAST_ROUNDS
    assert "5 of the decided changes would not have been decided" in demanding.reason


def test_a_lower_hysteresis_wins_changes_and_is_harmless() -> None:
    rounds = judged_rounds(LEAST_ROUNDS, loads=MARGINAL)
    best = max(relief(one, MARGINAL) for one in rounds[0].candidates)
    assert 0.05 < best < 0.1
    verdict = replay_change(rounds, STANDING, {"swarm.hysteresis_ratio": 0.05})
    assert verdict.harmless
    assert verdict.numbers["won"] == LEAST_ROUNDS
    assert verdict.numbers["relief_after"] > verdict.numbers["relief_before"] == 0
    assert verdict.reason.startswith("harmless in 5 rounds: 5 more changes decided")


def test_a_shorter_cooldown_that_changes_things_again_at_once_is_churn() -> None:
    verdict = replay_change(RESTED, STANDING, {"swarm.cooldown_ms": 2500.0})
    assert not verdict.harmless
    assert "changes within the cooldown grow from 0 to 5" in verdict.reason


def test_a_longer_cooldown_gives_up_what_was_decided_between() -> None:
    rounds = judged_rounds(LEAST_ROUNDS, since_change_ms=6000.0)
    verdict = replay_change(rounds, STANDING, {"swarm.cooldown_ms": 7000.0})
    assert verdict.numbers["given_up"] == LEAST_ROUNDS


def test_a_higher_threshold_that_does_not_notice_a_breach_is_a_regression() -> None:
    rounds = judged_rounds(LEAST_ROUNDS, measured={"occupancy_ratio": 1.5})
    verdict = replay_change(rounds, STANDING, {"thresholds.occupancy_ratio": 1.8})
    assert not verdict.harmless
    assert verdict.numbers["unnoticed"] == verdict.numbers["given_up"] == LEAST_ROUNDS
    assert replay_change(rounds, STANDING, {"thresholds.occupancy_ratio": 1.4}).harmless


def test_a_round_took_place_whatever_its_last_sample_showed() -> None:
    """An operator asked for it, or the breach had lasted: it decided a change, and counts as one."""
    rounds = judged_rounds(LEAST_ROUNDS, measured={"occupancy_ratio": 0.875})
    assert judge(rounds[0], STANDING).changes
    helpful = judge(HELPS[0], STANDING)
    verdict = replay_change(rounds, STANDING, {"swarm.hysteresis_ratio": min(0.5, helpful.relief + 0.05)})
    assert verdict.numbers["given_up"] == LEAST_ROUNDS
    assert not verdict.harmless


def test_a_round_whose_last_sample_was_calm_tells_nothing_of_a_threshold() -> None:
    rounds = judged_rounds(LEAST_ROUNDS, measured={"occupancy_ratio": 0.875})
    verdict = replay_change(rounds, STANDING, {"thresholds.occupancy_ratio": 1.4})
    assert verdict.reason.startswith("no evidence: 0 rounds show a measured breach")


def test_a_lower_threshold_is_held_to_the_false_alarms_of_calm_sites() -> None:
    even = dict.fromkeys(("site-a", "site-b", "site-c"), SiteLoad(10, 10.0))
    rounds = judged_rounds(LEAST_ROUNDS, loads=even, measured={"occupancy_ratio": 1.5})
    verdict = replay_change(rounds, STANDING, {"thresholds.occupancy_ratio": 0.9})
    assert not verdict.harmless
    assert (verdict.numbers["false_alarms_before"], verdict.numbers["false_alarms_after"]) == (0, 10)
    assert "10 of 10 calm sites would have breached for nothing" in verdict.reason


@pytest.mark.parametrize(
    ("values", "rounds", "why"),
    [
        ({"thresholds.latency_ms": 80.0}, HELPS, "no record holds the latency of sites that did not breach"),
        ({"swarm.keep_for_s": 90.0}, HELPS, "0 recorded rounds scaled out, and it takes 2"),
        (
            {"thresholds.queue_depth": 40.0},
            judged_rounds(LEAST_ROUNDS, measured={}),
            "0 rounds show a measured breach, and it takes 5",
        ),
    ],
)
def test_what_no_record_can_tell_is_no_evidence(values: dict[str, float], rounds: list[RoundRecord], why: str) -> None:
    verdict = replay_change(rounds, STANDING, values)
    assert not verdict.harmless
    assert verdict.reason.startswith("no evidence: ")
    assert why in verdict.reason


def test_replicas_that_would_be_asked_for_again_are_a_regression() -> None:
    """Scale-outs 100 s apart: with 120 s to keep the replica was still there, with 90 s it had gone."""
    rounds = [judged_round(number, outcome=OUT, at_ms=number * 100_000) for number in range(1, 6)]
    verdict = replay_change(rounds, STANDING, {"swarm.keep_for_s": 90.0})
    assert verdict.numbers["repeated_scale_outs"] == 4
    assert not verdict.harmless
    assert replay_change(rounds, STANDING, {"swarm.keep_for_s": 110.0}).harmless
    assert replay_change(rounds, STANDING, {"swarm.keep_for_s": 180.0}).harmless


def test_a_round_is_judged_as_it_was_voted() -> None:
    """Without any change of policy the judge comes to what the sites came to."""
    for record in HELPS:
        assert record.outcome is not None
        assert judge(record, STANDING).chosen == record.outcome.candidate


def test_relief_of_sites_without_slots_is_bounded() -> None:
    down = {"site-a": SiteLoad(4, 3.0, up=False), "site-b": SiteLoad(4, 0.0)}
    assert relief(Candidate(Action.FAIL_OVER, "site-b", of="site-a"), down) == 1.0
    assert relief(KEEP, down) == 0.0
    assert relief(Candidate(Action.SHIFT, "nowhere", 100, "site-a", "llm"), {"site-a": SiteLoad(4, 6.0)}) == -1.0
