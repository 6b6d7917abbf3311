"""Runs one site's swarm member: carries out what it asks for, brings it what happens, and wakes it in time."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Coroutine, Iterator, Sequence

from edgemind.domain.swarm.member import SwarmMember
from edgemind.domain.swarm.messages import Announce, Message
from edgemind.domain.swarm.pace import Pace
from edgemind.domain.swarm.protocol import (
    Answered,
    AskVoter,
    Breached,
    Effect,
    Ended,
    Event,
    Execute,
    Learned,
    Membership,
    Ranked,
    Received,
    Send,
    Started,
    StoreCall,
    Tick,
)
from edgemind.domain.swarm.records import KEEP, Candidate, Fence
from edgemind.ports.clock import Clock
from edgemind.services.rounds.member_links import MemberLinks
from edgemind.services.rounds.store_calls import StoreThreads, StoreTrouble
from edgemind.services.rounds.telling import Teller

BEFORE_ALL = Fence(1, 0)

log = logging.getLogger("edgemind.rounds")


class SwarmDriver:
    """Lives on one event loop, for as long as its process does; a changed configuration only changes its `links`.

    `incarnation` is higher with each start of the site's controller.
    """

    def __init__(self, site: str, incarnation: int, store: StoreThreads, links: MemberLinks, clock: Clock) -> None:
        self.links = links
        self._clock = clock
        self._store = store
        self._pace = Pace()
        self._member = SwarmMember(site, incarnation, self._pace, BEFORE_ALL)
        self._teller = Teller(self._tell)
        self._membership = Membership((site,))
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed_ms: float | None = None
        self._left: Ended | None = None
        self._closed = False

    # What its owner tells it

    def start(self) -> None:
        """Learn where the metro stands."""
        self._happen(Started())

    def receive(self, message: Message) -> None:
        self._happen(Received(message))

    def breached(self, candidates: Sequence[Candidate]) -> bool:
        """A confirmed breach, and what to vote about. False if it is passed over: a round is under way, or this site is
        no member."""
        return bool(self._happen(Breached(tuple(candidates))))

    def membership(self, roster: tuple[str, ...], suspected: frozenset[str]) -> None:
        now = Membership(roster, suspected)
        if now != self._membership:
            self._membership = now
            self._happen(now)

    async def close(self) -> None:
        """Stop where it is: as far as the others can tell, the process died."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, self._teller.close(), return_exceptions=True)
        self._store.close()

    # What it knows

    @property
    def newest(self) -> Announce | None:
        """The newest outcome known here, for beacons to carry."""
        return self._member.newest

    @property
    def known(self) -> Fence:
        return self._member.known

    @property
    def trouble(self) -> StoreTrouble | None:
        return self._store.trouble

    @property
    def store_ms(self) -> float:
        """The decayed mean of measured store calls."""
        return self._pace.store_ms

    @property
    def store_failures(self) -> int:
        return self._store.failures

    @property
    def unheard(self) -> int:
        """Messages that did not reach their site."""
        return self._teller.lost

    def since_change_ms(self) -> float | None:
        """Since this site learned of the last decided change; None if it never did."""
        return None if self._changed_ms is None else self._now_ms() - self._changed_ms

    # Steps

    def _now_ms(self) -> float:
        return self._clock.monotonic_s() * 1000.0

    def _happen(self, event: Event) -> Sequence[Effect]:
        """What followed. A defect in one part of it must not end the rounds to come, the caller's beacons, or the rest:
        a voter's defect, say, is no reason not to announce what was decided."""
        effects: Sequence[Effect] = ()
        if self._closed:
            return effects
        now_ms = self._now_ms()
        with _edge(event):
            effects = self._member.step(event, now_ms)
        with _edge(event):
            self.links.observer.observe(event, effects, now_ms)
        for effect in effects:
            with _edge(effect):
                self._carry_out(effect)
        self._set_alarm()
        return effects

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(to, message):
                self._teller.tell(to, message)
            case StoreCall():
                self._store.ask(effect.request, lambda answer: self._happen(Answered(effect.call, effect.copy, answer)))
            case AskVoter():
                self._spawn(self._ask_voter(effect))
            case Learned():
                self._learned(effect)
            case Execute(fence, outcome):
                self._spawn(self.links.effects.execute(fence, outcome))
            case Ended():
                self._tell_left(effect)

    def _tell_left(self, ended: Ended) -> None:
        """A breach that lasts as long as the store's trouble is asked about again and again, with the same end."""
        if ended != self._left:
            log.warning("round %s was left to the next breach: %s", ended.fence, ended.why)
        self._left = ended

    def _learned(self, learned: Learned) -> None:
        outcome = learned.outcome
        if outcome.candidate != KEEP:
            self._changed_ms = self._now_ms()
        self.links.effects.learned(learned.fence, outcome)

    async def _ask_voter(self, asked: AskVoter) -> None:
        """Abstain rather than vote late: the round does not wait."""
        view = self.links.view(asked.candidates, self.since_change_ms())
        try:
            async with asyncio.timeout(self._pace.timers().hard / 1000.0):
                vote = await self.links.voter.vote(asked.fence, asked.candidates, view)
        except TimeoutError:
            log.warning("the voter did not answer in time, this site abstains from round %s", asked.fence)
            return
        if vote is not None:
            self.links.observer.voted(vote)
            self._happen(Ranked(vote.fence, vote.ranking))

    async def _tell(self, to: str, message: Message) -> None:
        # Asked for each time: a new configuration brings new links.
        await self.links.tell(to, message)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.error("part of a round failed", exc_info=exc)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        wake_ms = self._member.wake_ms
        if wake_ms is None or self._closed:
            return
        # Timers of the loop are whole milliseconds: one that came too soon would come again and again.
        wait_ms = max(1, math.ceil(wake_ms - self._now_ms()))
        self._alarm = asyncio.get_running_loop().call_later(wait_ms / 1000.0, self._happen, Tick())


@contextlib.contextmanager
def _edge(of: object) -> Iterator[None]:
    try:
        yield
    except Exception:
        log.exception("part of a round failed, and the rest goes on: %s", type(of).__name__)
