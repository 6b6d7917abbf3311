"""Fences in order, and rounds that no correct member can have written."""

from dataclasses import replace

import pytest

from edgemind.domain.swarm.records import KEEP, Action, Candidate, CurrentRound, Fence, Outcome, RoundState
from edgemind.errors import PermanentError
from tests.unit.domain.swarm.builders import SHIFT, decided_round, open_round


def test_fences_are_ordered_by_epoch_then_round() -> None:
    assert sorted([Fence(2, 0), Fence(1, 9), Fence(1, 10)]) == [Fence(1, 9), Fence(1, 10), Fence(2, 0)]
    assert Fence(1, 9).next == Fence(1, 10)


def test_good_rounds_are_valid() -> None:
    CurrentRound(Fence(3, 12), RoundState.DECIDED).validate()
    open_round().validate()
    decided_round("1.1", "shift").validate()
    replace(decided_round("1.1", "keep"), outcome=Outcome(KEEP, timed_out=True), voters=()).validate()


@pytest.mark.parametrize(
    ("round_", "finding"),
    [
        (replace(open_round(), outcome=Outcome(KEEP)), "open and has an outcome"),
        (replace(decided_round("1.1", "keep"), outcome=None), "decided and has no outcome"),
        (replace(open_round(), quorum=4), "quorum does not fit"),
        (replace(open_round(), quorum=0), "quorum does not fit"),
        (replace(decided_round("1.1", "keep"), voters=("a", "x")), "not on its roster"),
        (replace(decided_round("1.1", "keep"), outcome=Outcome(Candidate(Action.DRAIN, "a"))), "was no candidate"),
        (replace(decided_round("1.1", "keep"), voters=("a",)), "fewer sites than its quorum"),
        (replace(decided_round("1.1", "keep"), outcome=Outcome(SHIFT, timed_out=True)), "timed out and changes things"),
    ],
)
def test_impossible_rounds_are_named(round_: CurrentRound, finding: str) -> None:
    with pytest.raises(PermanentError, match=finding):
        round_.validate()


def test_all_findings_are_named_at_once() -> None:
    with pytest.raises(PermanentError, match=r"round 1\.1: .*roster; .*quorum voted"):
        replace(decided_round("1.1", "keep"), voters=("x",)).validate()


def test_a_candidate_is_found_by_its_id() -> None:
    assert open_round().candidate(SHIFT.id) == SHIFT
    with pytest.raises(PermanentError, match=r"drain:x::0 is no candidate of round 1\.1"):
        open_round().candidate("drain:x::0")
