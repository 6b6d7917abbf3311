"""What may happen to a change, in which order, and that time ends it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edgemind.domain.advice.changes import KEPT, AdviceBook, ChangeState, Verdict
from edgemind.domain.advice.documents import (
    book_document,
    change_document,
    parse_book,
    parse_change,
    parse_policy,
    policy_document,
)
from edgemind.domain.advice.guard_rails import moves_of
from edgemind.domain.advice.lifecycle import (
    NoSuchChange,
    StepRefused,
    accepted,
    paused,
    proposed,
    rejected,
    resumed,
    rolled_back,
)
from edgemind.domain.wire import DocumentInvalid
from tests.support.advice import HARMLESS, STANDING, change, proposal

NOW = 5_000_000
HARMFUL = Verdict(False, "regression in 5 rounds: churn", 5, {"relief_before": 0.2, "relief_after": -0.1})


def with_proposals(count: int, verdict: Verdict = HARMLESS) -> AdviceBook:
    book, wanted = AdviceBook(), proposal()
    for _ in range(count):
        book = proposed(book, wanted, moves_of(wanted, STANDING), verdict, "advisor", NOW).book
    return book


def states(book: AdviceBook, now_ms: int = NOW) -> list[str]:
    return [f"{one.id} {one.state_at(now_ms)}" for one in book.changes]


def test_a_proposal_waits_is_accepted_and_rolled_back() -> None:
    book = with_proposals(1)
    assert (states(book), book.policy.at(NOW)) == (["adv-1 proposed"], None)
    taken = accepted(book, "adv-1", HARMLESS, "operator", NOW + 60_000)
    assert taken.follows(book)
    in_force = taken.book.policy.at(NOW + 60_000)
    assert in_force is not None
    assert (in_force.decided_by, in_force.expires_ms) == ("operator", NOW + 60_000 + 3_600_000)
    ended = rolled_back(taken.book, "adv-1", NOW + 70_000).book
    assert (states(ended), ended.policy.at(NOW + 70_000)) == (["adv-1 rolled_back"], None)


def test_what_the_replay_shows_to_be_harmful_is_rejected_at_once() -> None:
    book = with_proposals(1, HARMFUL)
    assert (book.changes[0].state, book.changes[0].decided_by) == (ChangeState.REJECTED, "replay")
    with pytest.raises(StepRefused, match="adv-1 is rejected already"):
        accepted(book, "adv-1", HARMLESS, "operator", NOW)


def test_one_change_is_in_force_at_a_time() -> None:
    book = accepted(with_proposals(2), "adv-1", HARMLESS, "operator", NOW).book
    with pytest.raises(StepRefused, match="adv-1 is in force, and one change is at a time"):
        accepted(book, "adv-2", HARMLESS, "operator", NOW)


def test_time_ends_what_waits_and_what_is_in_force_and_no_clock_brings_it_back() -> None:
    book = accepted(with_proposals(2), "adv-1", HARMLESS, "operator", NOW).book
    late = NOW + 3_600_000
    assert states(book, late - 1) == ["adv-2 proposed", "adv-1 accepted"]
    assert states(book, late) == ["adv-2 expired", "adv-1 expired"]
    assert book.policy.at(late) is None
    with pytest.raises(StepRefused, match="adv-1 is expired, not in force"):
        rolled_back(book, "adv-1", late)
    assert states(paused(book, late).book, NOW) == ["adv-2 expired", "adv-1 expired"]


def test_a_change_is_accepted_only_as_its_newest_replay_says() -> None:
    with pytest.raises(StepRefused, match="adv-1 cannot be accepted now: regression in 5 rounds"):
        accepted(with_proposals(1), "adv-1", HARMFUL, "operator", NOW)


@pytest.mark.parametrize(
    "step",
    [
        lambda book: accepted(book, "adv-9", HARMLESS, "operator", NOW),
        lambda book: rejected(book, "adv-9", "operator", NOW),
        lambda book: rolled_back(book, "adv-9", NOW),
    ],
)
def test_a_change_that_nobody_proposed_is_named(step: Callable[[AdviceBook], object]) -> None:
    with pytest.raises(NoSuchChange, match="no change is called 'adv-9'"):
        step(with_proposals(1))


def test_while_paused_nothing_is_taken_or_followed_and_rolling_back_still_works() -> None:
    book = accepted(with_proposals(2), "adv-1", HARMLESS, "operator", NOW).book
    stopped = paused(book, NOW).book
    assert stopped.policy.at(NOW) is None
    wanted = proposal()
    steps: tuple[Callable[[], object], ...] = (
        lambda: proposed(stopped, wanted, moves_of(wanted, STANDING), HARMLESS, "advisor", NOW),
        lambda: accepted(stopped, "adv-2", HARMLESS, "operator", NOW),
        lambda: paused(stopped, NOW),
    )
    for step in steps:
        with pytest.raises(StepRefused, match="paused"):
            step()
    assert resumed(stopped, NOW).book.policy.at(NOW) is not None
    assert rolled_back(stopped, "adv-1", NOW).book.policy.change is None
    assert rejected(stopped, "adv-2", "operator", NOW).book.changes[0].state is ChangeState.REJECTED


def test_only_a_few_may_wait_and_only_so_many_are_kept() -> None:
    with pytest.raises(StepRefused, match=r"5 proposals wait for an operator already \(adv-5, adv-4"):
        with_proposals(6)
    book = accepted(with_proposals(1), "adv-1", HARMLESS, "operator", NOW).book
    wanted = proposal()
    for _ in range(KEPT + 3):
        book = proposed(book, wanted, moves_of(wanted, STANDING), HARMFUL, "advisor", NOW).book
    assert len(book.changes) == KEPT
    assert book.last_number == KEPT + 4
    assert book.policy.at(NOW) is not None, "the one in force is kept however old it is"


def test_documents_come_back_whole_and_a_newer_version_adds_to_them() -> None:
    book = accepted(with_proposals(2, HARMLESS), "adv-1", replace(HARMLESS, numbers=HARMFUL.numbers), "x", NOW).book
    assert parse_book({**book_document(book), "more": 1}) == book
    assert parse_policy(policy_document(book.policy)) == book.policy
    document = change_document(change())
    assert parse_change({**document, "v": 2, "mood": "fine"}) == change()
    assert parse_change({**document, "state": "superseded"}).state is ChangeState.EXPIRED
    with pytest.raises(DocumentInvalid, match="v must be 1 or newer"):
        parse_change({**document, "v": 0})
