from dataclasses import replace

from edgemind.domain.swarm.history import EffectReport
from edgemind.domain.swarm.records import KEEP, Fence, Outcome
from edgemind.domain.swarm.round_drafts import FORGOTTEN
from edgemind.services.rounds.round_counts import RoundCounts
from tests.support.round_records import round_record

DECIDED = round_record(3)


def counted(counts: RoundCounts) -> dict[str, int]:
    return {outcome: count for outcome, count in counts.outcomes.items() if count}


def test_a_round_is_counted_once_however_often_its_record_is_handed_over() -> None:
    counts = RoundCounts()
    for _ in range(3):
        counts.round(DECIDED)
    assert DECIDED.outcome is not None
    assert counted(counts) == {DECIDED.outcome.candidate.action.value: 1}
    assert (counts.decided.count, counts.decided.sum_ms) == (1, DECIDED.decided_ms)


def test_only_the_site_that_decided_counts_a_round() -> None:
    counts = RoundCounts()
    counts.round(round_record(3, "site-b"))
    counts.round(replace(DECIDED, outcome=None, decided_ms=None))
    assert counted(counts) == {}


def test_one_that_timed_out_is_no_decided_one_and_one_that_was_left_is_neither() -> None:
    counts = RoundCounts()
    counts.round(replace(DECIDED, outcome=Outcome(KEEP, timed_out=True)))
    counts.round(replace(DECIDED, fence=Fence(1, 4), outcome=None, decided_ms=None, ended="out of reach"))
    counts.round(replace(DECIDED, fence=Fence(1, 5), outcome=None, decided_ms=None, ended=FORGOTTEN))
    assert counted(counts) == {"timed_out": 1, "left": 1}
    assert counts.decided.count == 0


def test_rounds_of_before_the_start_are_not_counted_again() -> None:
    counts = RoundCounts([DECIDED])
    counts.round(DECIDED)
    counts.round(round_record(2))
    assert counted(counts) == {}
    counts.round(round_record(4))
    assert sum(counted(counts).values()) == 1


def test_of_many_rounds_the_oldest_are_remembered_by_a_number_alone() -> None:
    counts = RoundCounts()
    for number in range(1, 301):
        counts.round(round_record(number))
    counts.round(round_record(1))
    assert sum(counted(counts).values()) == 300


def test_effects_are_counted_by_what_came_of_them() -> None:
    counts = RoundCounts()
    for state in ("applied", "applied", "undone"):
        counts.effect(EffectReport(Fence(1, 3), "site-a", "shift", state, 1.0))
    assert counts.effects == {"applied": 2, "refused": 0, "failed": 0, "undone": 1}
