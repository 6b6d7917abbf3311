"""Records written beside real members: by hand, through the dialogues, and through whole simulated swarms."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgemind.domain.swarm.history import CallCount, EffectReport, Heard, Known, RoundRecord, Step
from edgemind.domain.swarm.messages import Acknowledge, Announce
from edgemind.domain.swarm.protocol import Answered, Breached, Membership, Received, Refused
from edgemind.domain.swarm.records import KEEP, Ballot, Fence, Outcome
from edgemind.domain.swarm.replay import replay
from edgemind.domain.swarm.round_drafts import FORGOTTEN, ROUNDS_KEPT
from edgemind.domain.swarm.votes import View, Vote
from tests.support.recorded_world import RecordedWorld
from tests.support.round_records import RecordedMember
from tests.unit.domain.swarm.builders import CANDIDATES, SCALE, SHIFT, Dialogue, ballot, member, open_round, ranking

DIALOGUES = Path(__file__).parent / "dialogues"


def told(script: str) -> RecordedMember:
    """The recorder after a dialogue that is written down."""
    dialogue = Dialogue((DIALOGUES / f"{script}.txt").read_text(encoding="utf-8"))
    site = dialogue.lines[0].split("site=")[1].split()[0]
    recorded = RecordedMember(site, dialogue.member)
    dialogue.member = recorded  # type: ignore[assignment]
    list(dialogue.run())
    return recorded


def record_of(script: str) -> RoundRecord:
    return told(script).latest[Fence(1, 1)]


def steps(record: RoundRecord) -> dict[str, float]:
    return {step.name: step.ms for step in record.steps}


def test_the_opener_records_everything() -> None:
    record = record_of("plain_round")
    assert (record.site, record.heard, record.breached, record.opener, record.coordinator) == (
        "a", Heard.BREACH, "a", "a", "a",
    )  # fmt: skip
    assert (record.roster, record.quorum, record.candidates) == (("a", "b", "c"), 2, CANDIDATES)
    assert {site: (one.ms, one.known) for site, one in record.ballots.items()} == {
        "a": (10.0, Known.OWN), "b": (18.0, Known.ACKNOWLEDGED), "c": (19.0, Known.ACKNOWLEDGED),
    }  # fmt: skip
    assert record.voters == ("a", "b", "c")
    assert record.tally[SHIFT.id] == 15
    assert (record.outcome, record.decided_ms, record.coordinated) == (Outcome(SHIFT), 24.0, True)
    assert record.calls == CallCount(3, 0)
    assert record.steps == (
        Step("breached", 0.0), Step("deputies woken", 0.0), Step("open sent", 0.0), Step("opened", 5.0),
        Step("hinted", 5.0), Step("asked to vote", 5.0), Step("voted", 10.0), Step("quorum", 18.0),
        Step("deciding", 19.0), Step("decided", 24.0), Step("announced", 24.0),
    )  # fmt: skip


def test_a_deputy_that_joins_knows_whose_round_it_is_and_who_decided() -> None:
    record = record_of("deputy_joins")
    assert (record.heard, record.breached, record.opener, record.coordinator) == (Heard.WAKE, "a", "other", "other")
    assert {one.known for one in record.ballots.values()} == {Known.READ}
    assert steps(record) | {"took over": 47.0, "joined": 52.0, "ballots read": 56.0, "decided": 61.0} == steps(record)
    assert record.decided_ms == 61.0, "it heard it from the store itself"
    assert not record.coordinated, "another coordinator's decision stands"


def test_copies_of_calls_are_counted_and_say_nothing_twice() -> None:
    record = record_of("lost_answers")
    assert record.calls.hedged >= 4
    assert steps(record)["opened"] == 24.0
    assert record.voters == ("b", "c")
    assert "a" not in record.ballots
    assert record.outcome == Outcome(SCALE)
    assert steps(record)["executed"] == 53.0


def test_a_round_that_timed_out_is_recorded_as_one() -> None:
    record = record_of("silent_voters")
    assert record.outcome == Outcome(KEEP, timed_out=True)
    assert (record.voters, record.quorum, record.decided_ms) == (("a",), 2, 95.0)
    assert "quorum" not in steps(record)


@pytest.mark.parametrize("script", sorted(path.stem for path in DIALOGUES.glob("*.txt")))
def test_every_dialogue_leaves_records_that_replay(script: str) -> None:
    for record in told(script).latest.values():
        assert all(check.agrees for check in replay(record)), script
        assert [step.ms for step in record.steps] == sorted(step.ms for step in record.steps)


def test_an_opening_that_comes_too_late_goes_on_as_the_next_round() -> None:
    recorded = told("stale_opener")
    recorded.step(Received(Announce("b", Fence(1, 3), Outcome(SHIFT))), 80.0)
    (record,) = recorded.kept
    assert (record.fence, record.heard, record.breached) == (Fence(1, 3), Heard.BREACH, "a")
    assert (steps(record)["breached"], record.learned_ms) == (0.0, 80.0)


def test_what_a_breach_measured_and_who_was_suspected_is_kept() -> None:
    recorded = RecordedMember("a", member("a"))
    recorded.step(Membership(("a", "b", "c"), frozenset({"c"})), 0.0)
    recorded.recorder.measured({"occupancy_ratio": 0.97})
    recorded.step(Breached(CANDIDATES), 1.0)
    assert recorded.kept == [], "it is not decided"
    recorded.step(Received(Announce("b", Fence(1, 1), Outcome(SHIFT))), 30.0)
    (record,) = recorded.kept
    assert (record.measured, record.suspected) == ({"occupancy_ratio": 0.97}, ("c",))
    assert (record.decided_ms, record.learned_ms, record.coordinator) == (None, 29.0, None)


def test_reports_of_rounds_that_nobody_knows_are_left_aside() -> None:
    recorded = told("plain_round")
    handed = list(recorded.kept)
    recorded.recorder.effect(EffectReport(Fence(9, 9), "a", "x", "applied", 1.0))
    recorded.recorder.voted(Vote(Fence(9, 9), "a", (), View({}), "library", 0.1))
    assert recorded.kept == handed


def test_votes_and_effects_are_added_to_a_round_that_is_over_and_after_a_restart() -> None:
    recorded = told("plain_round")
    vote = Vote(Fence(1, 1), "a", ranking("shift"), View({}), "library", 0.2)
    recorded.recorder.voted(vote)
    assert recorded.kept[-1].votes == {"a": vote}

    before = recorded.kept[-1]
    again = RecordedMember("a", member("a", known="1.1"), [before])
    report = EffectReport(Fence(1, 1), "a", "shift taken back", "undone", 0.1)
    again.recorder.effect(report)
    assert again.kept == [replace(before, effects=(report,))]


def test_a_vote_after_a_restart_is_no_ballot_if_an_earlier_one_stands() -> None:
    dialogue = Dialogue((DIALOGUES / "first_ballot_stands.txt").read_text(encoding="utf-8"))
    recorded = RecordedMember("b", dialogue.member)
    dialogue.member = recorded  # type: ignore[assignment]
    for event, _, _ in dialogue.run():
        if event.endswith("says hint 1.1"):
            recorded.recorder.voted(Vote(Fence(1, 1), "b", ranking("keep"), View({}), "library", 0.2))
    recorded.step(Received(Announce("a", Fence(1, 1), Outcome(SHIFT))), 90.0)
    (record,) = recorded.kept
    assert record.ballots["b"].ranking == ranking("scale")
    assert record.votes == {}, "what it voted now is no ballot"


def test_ballots_that_are_heard_before_their_round_are_sorted_out_when_it_is_known() -> None:
    """Another site opened under the same number, with other candidates, while this one's opening was on its way."""
    recorded = RecordedMember("a", member("a"))
    recorded.step(Breached(CANDIDATES), 0.0)
    theirs = replace(open_round(), candidates=(SCALE, KEEP))
    recorded.step(Received(Acknowledge("b", Ballot(Fence(1, 1), "b", (SCALE.id, KEEP.id)))), 2.0)
    recorded.step(Received(Acknowledge("c", ballot("c"))), 3.0)
    recorded.step(Answered(1, 1, Refused(theirs)), 5.0)
    recorded.step(Received(Announce("b", Fence(1, 1), Outcome(SCALE))), 9.0)
    (record,) = recorded.kept
    assert record.candidates == (SCALE, KEEP)
    assert list(record.ballots) == ["b"]


def test_nothing_new_is_not_handed_over_again() -> None:
    recorded = told("plain_round")
    handed = len(recorded.kept)
    recorded.step(Membership(("a", "b", "c")), 30.0)
    assert len(recorded.kept) == handed


def test_memory_is_bounded() -> None:
    recorded = RecordedMember("a", member("a"))
    for number in range(1, ROUNDS_KEPT + 10):
        recorded.recorder._drafts.begun(Fence(1, number), Heard.HINT, 0.0)
    recorded.recorder._drafts.hand_over()
    assert len(recorded.recorder._drafts._by_fence) == ROUNDS_KEPT
    assert {record.ended for record in recorded.kept} == {FORGOTTEN}


@pytest.mark.parametrize(
    ("sites", "seed", "faults"), [(3, 1, "none"), (3, 2, "losses"), (10, 3, "losses"), (3, 4, "all"), (10, 5, "all")]
)
def test_a_whole_swarm_under_faults_is_recorded_truly(sites: int, seed: int, faults: str) -> None:
    world = RecordedWorld(sites, seed, faults)
    world.run(6)
    outcomes: dict[Fence, set[Outcome]] = {}
    coordinated: set[Fence] = set()
    for recorded in world.recorded:
        for record in recorded.latest.values():
            if record.outcome is not None:
                outcomes.setdefault(record.fence, set()).add(record.outcome)
            if record.coordinated:
                coordinated.add(record.fence)
                assert record.voters
                assert record.breached
                assert all(check.agrees and check.replayed is not None for check in replay(record)), record
            assert all(
                vote.ranking == record.ballots[recorded.site].ranking
                for vote in record.votes.values()
                if recorded.site in record.ballots
            )
    assert all(len(seen) == 1 for seen in outcomes.values()), "every site's record tells the same outcome"
    if faults == "none":
        assert coordinated == outcomes.keys()
        assert len(outcomes) == 6
    assert coordinated, "and somebody recorded how it was decided"
