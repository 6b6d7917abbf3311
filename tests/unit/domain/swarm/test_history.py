"""Records as documents, told by several sites together, and run once more."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from edgemind.domain.swarm.history import Heard, Known, RoundRecord
from edgemind.domain.swarm.history_documents import parse_record, record_document
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence, Outcome
from edgemind.domain.swarm.replay import replay, why_decided_then
from edgemind.domain.swarm.summaries import join_records, newest_first, summary_of
from edgemind.domain.swarm.vote_documents import fence_from_text, plain
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.swarm.votes import View, Vote
from edgemind.domain.swarm.wording import candidate_words, outcome_words
from edgemind.domain.wire import DocumentInvalid
from tests.support.round_records import SITES, effect, round_record, strands_vote


def full() -> RoundRecord:
    record = round_record()
    votes = {"site-a": strands_vote(record, "site-a")}
    return replace(record, votes=votes, effects=(effect(record), effect(record, "failed", "no slot is free")))


@pytest.mark.parametrize(
    "record",
    [
        full(),
        round_record(site="site-b"),
        round_record(outcome=Outcome(KEEP, timed_out=True), ended=None),
        round_record(outcome=None, decided_ms=None, learned_ms=None, ended="the store is out of reach", quorum=0),
    ],
    ids=["everything", "a learner's", "timed out", "no outcome"],
)
def test_a_record_comes_back_from_its_document_as_it_was(record: RoundRecord) -> None:
    assert parse_record(json.loads(json.dumps(record_document(record)))) == record


def test_what_a_newer_site_adds_is_ignored_and_what_an_older_one_lacks_is_defaulted() -> None:
    document: dict[str, Any] = json.loads(json.dumps(record_document(full())))
    document |= {"v": 2, "moon": "full", "heard": "telepathy"}
    document["votes"]["site-a"]["mood"] = "good"
    document["ballots"]["site-b"]["known"] = "a dream"
    read = parse_record(document)
    assert (read.heard, read.ballots["site-b"].known) == (Heard.OUTCOME, Known.ACKNOWLEDGED)

    least = {"v": 1, "fence": "1.2", "metro": "m", "site": "a", "at_ms": 5, "heard": "wake"}
    assert parse_record(least) == RoundRecord(Fence(1, 2), "m", "a", 5, Heard.WAKE)


def test_nothing_that_a_voter_goes_by_is_lost_on_the_way() -> None:
    """A field that a later version adds to what voters see has to come back too, or its rounds would not replay."""
    values = [{int: 7 + k, float: 7.5 + k, bool: False}[one.type] for k, one in enumerate(fields(SiteLoad))]  # type: ignore[index]
    load = SiteLoad(*values)  # type: ignore[arg-type]
    policy = VotingPolicy(*(0.25 for _ in fields(VotingPolicy)))
    seen = View({"a": load}, policy, 5.0)
    assert {one.name for one in fields(View)} == {"loads", "policy", "since_change_ms"}
    record = replace(round_record(), votes={"a": Vote(Fence(1, 3), "a", (), seen, "library", 1.0)})
    assert parse_record(json.loads(json.dumps(record_document(record)))) == record


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"v": 0}, "round.v"),
        ({"fence": "one"}, "such as 1.17"),
        ({"fence": None}, "round.fence"),
        ({"roster": "abc"}, "round.roster"),
        ({"roster": [1]}, "round.roster"),
        ({"candidates": [{"action": "explode"}]}, r"round.candidates\[0\].action must be one of"),
        ({"ended": 5}, "round.ended"),
        ({"steps": [{"name": "x", "ms": -1}]}, r"round.steps\[0\].ms"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DocumentInvalid, match=said):
        parse_record({**record_document(full()), **changes})


def test_fences_are_read_strictly() -> None:
    assert fence_from_text("1.17") == Fence(1, 17)
    for wrong in ("", "1", "1.", ".1", "1.2.3", "-1.2", "1.²", "1e3.4", "1." + "9" * 40):
        with pytest.raises(DocumentInvalid):
            fence_from_text(wrong)


def test_results_of_tools_become_plain_values_of_bounded_depth() -> None:
    nested: Any = "end"
    for _ in range(50):
        nested = [nested]
    shown = plain({"a": (1, 2.5, None), "b": Fence(1, 2), "c": nested})
    json.dumps(shown)
    assert isinstance(shown, dict)
    assert (shown["a"], shown["b"]) == ([1, 2.5, None], "1.2")


# Told by several sites


def test_the_coordinators_record_wins_and_votes_come_from_their_own_sites() -> None:
    records = [round_record(site=site) for site in reversed(SITES)]
    records[0] = replace(records[0], effects=(effect(records[0]),))
    joined = join_records(records)
    assert joined.site == "site-a"
    assert joined.decided_ms == 31.2
    assert sorted(joined.votes) == list(SITES)
    assert [one.site for one in joined.effects] == ["site-c"]

    lost = join_records(records[:2])
    assert (lost.site, lost.decided_ms, lost.breached) == ("site-b", None, "site-a")


def test_pages_go_by_fence_and_not_by_clock() -> None:
    records = [round_record(9, at_ms=1), round_record(2, epoch=2, at_ms=5), round_record(10, at_ms=9)]
    others = [replace(record, site="site-b", decided_ms=None, coordinator=None, at_ms=77) for record in records]
    lines = [summary_of(record) for record in (*others, *records)]
    assert [(line.fence, line.site) for line in newest_first(lines, 9, None)] == [
        ("2.2", "site-a"), ("1.10", "site-a"), ("1.9", "site-a"),
    ]  # fmt: skip
    assert [line.fence for line in newest_first(lines, 1, Fence(2, 2))] == ["1.10"]


def test_a_round_is_told_in_one_line() -> None:
    record = round_record()
    assert summary_of(record).line == (
        "round 1.3: shift 100 % of site-a's llm to site-c, decided in 31 ms by 3 of 3, coordinator site-a"
    )
    learner = summary_of(round_record(site="site-b"))
    assert learner.line == "round 1.3: shift 100 % of site-a's llm to site-c, coordinator site-a"
    assert (learner.ballots, learner.outcome, learner.target, learner.of, learner.amount) == (
        None, "SHIFT", "site-c", "site-a", 100,
    )  # fmt: skip
    timed_out = summary_of(replace(record, outcome=Outcome(KEEP, timed_out=True), voters=()))
    assert (timed_out.ballots, timed_out.voters, timed_out.target) == (0, 3, None)
    assert "no quorum voted in time" in timed_out.line


def test_every_action_has_words_of_its_own() -> None:
    told = {action: candidate_words(Candidate(action, "site-b", 3, "site-a", "llm")) for action in Action}
    assert len(set(told.values())) == len(Action)
    assert all("site-b" in words for action, words in told.items() if action is not Action.KEEP)


def test_no_outcome_is_told_with_its_cause() -> None:
    assert outcome_words(None, "the store is out of reach") == "no outcome: the store is out of reach"


# Once more


def test_a_record_replays_bit_for_bit_also_from_its_document() -> None:
    joined = join_records([round_record(site=site) for site in SITES])
    checks = replay(parse_record(json.loads(json.dumps(record_document(joined)))))
    assert [check.what for check in checks if check.replayed is None] == []
    assert all(check.agrees for check in checks)
    assert len(checks) == 3 + 3 + 3


def _other_outcome(record: RoundRecord) -> RoundRecord:
    return replace(record, outcome=Outcome(record.candidates[1]))


def _other_tally(record: RoundRecord) -> RoundRecord:
    return replace(record, tally={**record.tally, KEEP.id: 14})


def _other_vote(record: RoundRecord) -> RoundRecord:
    vote = record.votes["site-a"]
    return replace(record, votes={"site-a": replace(vote, ranking=vote.ranking[::-1], voter="strands")})


def _other_ballot(record: RoundRecord) -> RoundRecord:
    ballot = record.ballots["site-b"]
    return replace(record, ballots={**record.ballots, "site-b": replace(ballot, ranking=ballot.ranking[::-1])})


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (_other_outcome, "the outcome"),
        (_other_tally, "the tally"),
        (_other_vote, "the vote of site-a (strands)"),
        (_other_ballot, "the tally"),
        (lambda record: replace(record, quorum=3), "the quorum"),
        (lambda record: replace(record, voters=("site-a",)), "the tally"),
        (lambda record: replace(record, outcome=Outcome(KEEP, timed_out=True)), "the outcome"),
    ],
)
def test_whatever_was_changed_afterwards_is_found(change: Callable[[RoundRecord], RoundRecord], first: str) -> None:
    differing = [check.what for check in replay(change(round_record())) if not check.agrees]
    assert differing[0] == first


def test_what_was_not_recorded_is_not_claimed_to_agree() -> None:
    (outcome,) = [check for check in replay(round_record(site="site-b")) if check.what == "the outcome"]
    assert outcome.replayed is None


def test_why_nobody_waited_longer_is_told() -> None:
    record = round_record()
    assert why_decided_then(record) == "every site had voted"
    assert why_decided_then(round_record(site="site-b")) is None
    two = replace(record, voters=("site-a", "site-b"), suspected=("site-c",))
    assert "site-c" in (why_decided_then(two) or "")
    assert why_decided_then(replace(record, voters=("site-a",), outcome=Outcome(KEEP, timed_out=True))) == (
        "no quorum had voted when the time was over"
    )
