"""What may happen to a change: each step gives the book to write, or says why it cannot be taken."""

from dataclasses import replace

from edgemind.domain.advice.changes import (
    KEPT,
    PENDING_LIMIT,
    AdviceBook,
    ChangeState,
    Move,
    PolicyChange,
    Verdict,
    WriteBook,
)
from edgemind.domain.advice.guard_rails import Proposal, shown
from edgemind.errors import PermanentError

REPLAY = "replay"
"""Who rejects what the replay shows to be harmful, and accepts what is harmless where that is configured."""


class StepRefused(PermanentError):
    """The book is as it was; the message says why, and what is in the way."""


class NoSuchChange(StepRefused):
    """It was never proposed, or so long ago that it is not kept."""


def known(book: AdviceBook, change_id: str) -> PolicyChange:
    """Raises NoSuchChange."""
    change = book.find(change_id)
    if change is None:
        raise NoSuchChange(
            f"no change is called {shown(change_id)!r}: the newest {KEPT} are kept; `edgemind advice list` shows them"
        )
    return change


def proposed(
    book: AdviceBook, proposal: Proposal, moves: tuple[Move, ...], verdict: Verdict, who: str, now_ms: int
) -> WriteBook:
    """A new change: waiting for an operator, or rejected at once by its replay. It is the first of the written book."""
    _not_paused(book)
    waiting = [one for one in book.changes if one.state_at(now_ms) is ChangeState.PROPOSED]
    if verdict.harmless and len(waiting) >= PENDING_LIMIT:
        ids = ", ".join(one.id for one in waiting)
        raise StepRefused(f"{len(waiting)} proposals wait for an operator already ({ids}): accept or reject one first")
    change = PolicyChange(
        number=book.last_number + 1,
        based_on=book.version,
        moves=moves,
        reason=proposal.reason,
        proposed_by=who,
        created_ms=now_ms,
        for_s=proposal.for_s,
        expires_ms=now_ms + proposal.for_s * 1000,
        verdict=verdict,
    )
    if not verdict.harmless:
        change = replace(change, state=ChangeState.REJECTED, decided_by=REPLAY, decided_ms=now_ms)
    return _next(book, (change, *book.changes), now_ms, last_number=change.number)


def accepted(book: AdviceBook, change_id: str, verdict: Verdict, who: str, now_ms: int) -> WriteBook:
    """In force from now on, for as long as was proposed. `verdict` is that of a replay at this moment."""
    _not_paused(book)
    change = _waiting(book, change_id, now_ms)
    if (standing := book.policy.at(now_ms)) is not None:
        raise StepRefused(
            f"{standing.id} is in force, and one change is at a time: roll it back, or wait until it expires"
        )
    if not verdict.harmless:
        raise StepRefused(f"{change.id} cannot be accepted now: {verdict.reason}")
    taken = replace(
        change,
        state=ChangeState.ACCEPTED,
        verdict=verdict,
        decided_by=who,
        decided_ms=now_ms,
        expires_ms=now_ms + change.for_s * 1000,
    )
    return _replaced(book, taken, now_ms)


def rejected(book: AdviceBook, change_id: str, who: str, now_ms: int) -> WriteBook:
    change = _waiting(book, change_id, now_ms)
    return _replaced(book, replace(change, state=ChangeState.REJECTED, decided_by=who, decided_ms=now_ms), now_ms)


def rolled_back(book: AdviceBook, change_id: str, now_ms: int) -> WriteBook:
    """The file's values are in force again. While advice is paused, too."""
    change = known(book, change_id)
    state = change.state_at(now_ms)
    if state is not ChangeState.ACCEPTED:
        raise StepRefused(f"{change.id} is {_words(state)}, not in force: there is nothing to roll back")
    return _replaced(book, replace(change, state=ChangeState.ROLLED_BACK, ended_ms=now_ms), now_ms)


def paused(book: AdviceBook, now_ms: int) -> WriteBook:
    """Nothing is proposed or accepted any more, and what was accepted is not followed."""
    return _switched(book, True, now_ms)


def resumed(book: AdviceBook, now_ms: int) -> WriteBook:
    return _switched(book, False, now_ms)


def _switched(book: AdviceBook, wanted: bool, now_ms: int) -> WriteBook:
    if book.paused is wanted:
        raise StepRefused(f"advice is {'paused' if wanted else 'not paused'} already")
    return _next(book, book.changes, now_ms, paused=wanted)


def _not_paused(book: AdviceBook) -> None:
    if book.paused:
        raise StepRefused("advice is paused: an operator may resume it (`edgemind advice resume`)")


def _waiting(book: AdviceBook, change_id: str, now_ms: int) -> PolicyChange:
    change = known(book, change_id)
    state = change.state_at(now_ms)
    if state is not ChangeState.PROPOSED:
        raise StepRefused(f"{change.id} is {_words(state)} already")
    return change


def _words(state: ChangeState) -> str:
    return state.value.replace("_", " ")


def _replaced(book: AdviceBook, change: PolicyChange, now_ms: int) -> WriteBook:
    return _next(book, tuple(change if one.id == change.id else one for one in book.changes), now_ms)


def _next(
    book: AdviceBook,
    changes: tuple[PolicyChange, ...],
    now_ms: int,
    *,
    paused: bool | None = None,
    last_number: int = 0,
) -> WriteBook:
    # What time has ended is written down with the next change of the book: no clock can bring it back to life.
    settled = tuple(replace(one, state=one.state_at(now_ms)) for one in changes)
    return WriteBook(
        AdviceBook(
            version=book.version + 1,
            paused=book.paused if paused is None else paused,
            last_number=max(book.last_number, last_number),
            changes=_kept(settled),
        )
    )


def _kept(changes: tuple[PolicyChange, ...]) -> tuple[PolicyChange, ...]:
    """The newest, and the one in force however old it is."""
    old = [one for one in changes[KEPT:] if one.state is ChangeState.ACCEPTED]
    return (*changes[: KEPT - len(old)], *old)
