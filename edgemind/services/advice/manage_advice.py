"""Proposals of policy changes and what operators decide about them, at whichever controller is asked.

Guard rails and the replay run here, never where a proposal is made: whoever proposes can do nothing but propose.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edgemind.domain.advice import lifecycle
from edgemind.domain.advice.changes import AdviceBook, PolicyChange, PolicyInForce, Verdict, WriteBook
from edgemind.domain.advice.documents import change_document
from edgemind.domain.advice.guard_rails import Proposal, ProposalRefused, moves_of, shown
from edgemind.domain.advice.lifecycle import REPLAY, StepRefused
from edgemind.domain.advice.overlay import stale
from edgemind.domain.advice.replay import replay_change
from edgemind.domain.advice.settings import PolicyValues
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.rate import TokenBucket
from edgemind.domain.swarm.history import RoundRecord
from edgemind.errors import StoreUnavailable, TemporaryError
from edgemind.ports.advice_store import AdviceStore, BookChanged
from edgemind.ports.audit_journal import AuditJournal
from edgemind.ports.clock import Clock

ATTEMPTS = 8
"""The book is rarely written: so many in a row that came too late are a store in trouble."""
PROPOSALS_PER_S, PROPOSALS_AT_ONCE = 0.1, 5.0
"""Of one controller: each costs a replay, and an entry of the audit journal."""
JUDGED_WITHIN_S = 6.0
"""Until the rounds have come and are judged: less than whoever asked waits (`FleetClient`), or a change would be in
force that they were told had failed."""

log = logging.getLogger("edgemind.advice")
_Result = TypeVar("_Result")


class TooManyProposals(TemporaryError):
    """More came than a controller judges; the message says when to come again."""


class NotJudged(TemporaryError):
    """The rounds did not come in time: nothing was changed."""


@dataclass(frozen=True, slots=True)
class PolicySource:
    """What a controller knows of itself: what its file says, the rounds of its metro, whether what the replay shows to
    be harmless is accepted at once."""

    standing: Callable[[], PolicyValues]
    rounds: Callable[[], Awaitable[Sequence[RoundRecord]]]
    auto_accept: Callable[[], bool]


class ManageAdvice:
    """Methods raise ProposalRefused, StepRefused, NotJudged, or what the store raises.

    `who` is a role, for people to read. `stored` hears what is in force after each write of this controller.
    """

    def __init__(
        self,
        site: str,
        store: AdviceStore,
        source: PolicySource,
        clock: Clock,
        stored: Callable[[PolicyInForce], None],
        audit: AuditJournal | None = None,
    ) -> None:
        self._site = site
        self._store = store
        self._source = source
        self._clock = clock
        self._stored = stored
        self.audit = audit
        self.accepted: Callable[[str], object] = lambda _: None
        """Hears, in words, of each change that this controller had accepted; it does not block."""
        self._bucket = TokenBucket.full(PROPOSALS_PER_S, PROPOSALS_AT_ONCE, clock.monotonic_s())

    async def book(self) -> AdviceBook:
        return await asyncio.to_thread(self._store.read_book)

    async def propose(self, proposal: Proposal, who: str) -> PolicyChange:
        """The change as it is kept: waiting, rejected by its replay, or accepted if that is configured."""
        if not self._bucket.take(self._clock.monotonic_s()):
            raise TooManyProposals(
                f"too many proposals: the next one is taken in {self._bucket.next_token_s():.0f} s",
                self._bucket.next_token_s(),
            )
        try:
            moves = moves_of(proposal, self._source.standing())
        except ProposalRefused as refused:
            self._record("refused", who, {"findings": dict(refused.findings), **_asked(proposal)})
            raise
        verdict = await self._replay(proposal)
        book = await self._write(
            lambda book: lifecycle.proposed(book, proposal, moves, verdict, who, self._clock.wall_ms())
        )
        change = book.changes[0]
        self._tell("proposed", change, who)
        if verdict.harmless and self._source.auto_accept():
            return await self._accept_by_itself(change, verdict)
        return change

    async def accept(self, change_id: str, who: str) -> PolicyChange:
        """In force after a replay of the rounds that there are by now."""
        change = lifecycle.known(await self.book(), change_id)
        standing = self._source.standing()
        # The file may say otherwise by now: the guard rails hold for what would be in force.
        if (why := stale(change.moves, standing)) is not None:
            raise StepRefused(f"{change.id} cannot be accepted any more: {why}")
        proposal = Proposal(change.values, change.reason, change.for_s)
        moves_of(proposal, standing)
        verdict = await self._replay(proposal)
        return await self._step(
            "accepted", change_id, who, lambda book, now_ms: lifecycle.accepted(book, change_id, verdict, who, now_ms)
        )

    async def reject(self, change_id: str, who: str) -> PolicyChange:
        return await self._step(
            "rejected", change_id, who, lambda book, now_ms: lifecycle.rejected(book, change_id, who, now_ms)
        )

    async def roll_back(self, change_id: str, who: str) -> PolicyChange:
        return await self._step(
            "rolled_back", change_id, who, lambda book, now_ms: lifecycle.rolled_back(book, change_id, now_ms)
        )

    async def pause(self, who: str) -> AdviceBook:
        book = await self._write(lambda book: lifecycle.paused(book, self._clock.wall_ms()))
        self._record("paused", who, {})
        return book

    async def resume(self, who: str) -> AdviceBook:
        book = await self._write(lambda book: lifecycle.resumed(book, self._clock.wall_ms()))
        self._record("resumed", who, {})
        return book

    async def _accept_by_itself(self, change: PolicyChange, verdict: Verdict) -> PolicyChange:
        try:
            return await self._step(
                "accepted",
                change.id,
                REPLAY,
                lambda book, now_ms: lifecycle.accepted(book, change.id, verdict, REPLAY, now_ms),
            )
        except StepRefused as refused:
            log.info("%s waits for an operator: %s", change.id, refused)
            return change

    async def _replay(self, proposal: Proposal) -> Verdict:
        try:
            async with asyncio.timeout(JUDGED_WITHIN_S):
                records = await self._source.rounds()
                return await asyncio.to_thread(replay_change, records, self._source.standing(), proposal.values)
        except TimeoutError as exc:
            raise NotJudged(
                f"the metro's rounds did not come and were not judged within {JUDGED_WITHIN_S:g} s, so nothing was "
                "changed: try again, or at another site's controller"
            ) from exc

    async def _step(
        self, what: str, change_id: str, who: str, step: Callable[[AdviceBook, int], WriteBook]
    ) -> PolicyChange:
        book = await self._write(lambda book: step(book, self._clock.wall_ms()))
        change = book.find(change_id)
        assert change is not None
        self._tell(what, change, who)
        return change

    async def _write(self, step: Callable[[AdviceBook], WriteBook]) -> AdviceBook:
        """Read, take the step, store it if what was read still stands; from the start if not."""

        def once() -> AdviceBook:
            write = step(self._store.read_book())
            try:
                self._store.write_book(write)
            except StoreUnavailable:
                # It may have been stored all the same: then it is in force, and has to be told.
                if self._store.read_book() != write.book:
                    raise
            return write.book

        for attempt in range(ATTEMPTS):
            try:
                book = await asyncio.to_thread(once)
            except BookChanged:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            self._stored(book.policy)
            return book
        raise AssertionError("the loop returns or raises")

    def _tell(self, what: str, change: PolicyChange, who: str) -> None:
        moves = ", ".join(f"{shown(one.path)} {one.before:g} -> {one.after:g}" for one in change.moves)
        log.info("%s %s by %s: %s (%s)", change.id, what, who, moves, change.verdict.reason)
        if what == "accepted":
            # Without the proposer's reason: it is somebody else's text, and would be read by other agents.
            self.accepted(f"{change.id} accepted by {who}: {moves}. The replay: {change.verdict.reason}")
        self._record(what, who, {"change": change_document(change)})

    def _record(self, what: str, who: str, body: dict[str, object]) -> None:
        if self.audit is not None:
            entry = AuditEntry(
                EntryKind.POLICY_CHANGE, self._clock.wall_ms(), self._site, {"what": what, "by": who, **body}
            )
            self.audit.record(entry)


def _asked(proposal: Proposal) -> dict[str, object]:
    """What was refused, bounded: nobody may fill a journal with it."""
    asked = {shown(path): value for path, value in list(proposal.values.items())[:10]}
    return {"asked": asked, "reason": shown(proposal.reason)}
