"""What decisions want of this site's replicas, seen through to its end: set, waited for, undone, or given back.

Each model has one task at a time, that of the newest decision. It is on record before anything is asked of the scaler,
so a controller that starts again goes on with it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from edgemind.domain.swarm.history import EffectReport
from edgemind.domain.swarm.records import Action, Candidate, Fence
from edgemind.domain.swarm.scale_task import ScaleTask, ScalingPolicy, Step, scale_task
from edgemind.errors import EdgeMindError, PermanentError, StateCorrupt, TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.effect_journal import EffectJournal
from edgemind.ports.scaler import Replicas, Scaler, StaleFence

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0

log = logging.getLogger(__name__)


class ReplicaScaling:
    """`report` hears the end of every task, once. Lives on one event loop; `sleep` is that loop's.

    `scaler` and `policy` may be exchanged by a reload.
    """

    def __init__(
        self,
        site: str,
        scaler: Scaler,
        journal: EffectJournal,
        policy: ScalingPolicy,
        clock: Clock,
        report: Callable[[EffectReport], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.policy = policy
        self._site = site
        self.scaler = scaler
        self._journal = journal
        self._clock = clock
        self._report = report
        self._sleep = sleep
        self._tasks: dict[str, ScaleTask] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}

    async def carry_out(self, fence: Fence, candidate: Candidate) -> None:
        """A SCALE_OUT of this site; again is fine. Returns when it is over, whatever came of it."""
        tasks = await self._known()
        task, known = scale_task(fence, candidate), tasks.get(candidate.model)
        if known is not None and known.fence > fence:
            self._tell(task, "refused", 0.0, f"round {known.fence} decided about {task.model} since")
        elif known is None or known.fence < fence:
            self._supersede(known, fence)
            tasks[task.model] = task.after(known)
            await _over(self._start(tasks[task.model]))
        elif task.model in self._running:
            await _over(self._running[task.model])

    async def resume(self) -> None:
        """After a start: go on with what was decided and not finished. Raises StoreUnavailable or StateCorrupt."""
        await self._known()

    async def close(self) -> None:
        """Stop in the middle: the journal has what is left to do."""
        running = list(self._running.values())
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def replicas(self) -> dict[str, Replicas]:
        return dict(await self.scaler.replicas())

    def base(self, model: str) -> int | None:
        """What it goes back to; None while something is being done about it."""
        if self._tasks is None or model in self._running:
            return None
        task = self._tasks.get(model)
        return 1 if task is None or task.base is None else task.base

    async def give_back(self, model: str, held: Replicas) -> None:
        """One replica less, by the fence it was read with: whatever was decided in between stands."""
        base = self.base(model)
        if held.fence is None or base is None:
            return
        fewer = Candidate(Action.SCALE_OUT, self._site, held.wanted - 1, model=model)
        began_s = self._clock.monotonic_s()
        try:
            await self.scaler.scale(model, fewer.target, held.fence)
            if fewer.target <= base and self._tasks is not None:
                self._tasks.pop(model, None)
                await asyncio.to_thread(self._journal.forget, model)
        except StaleFence:
            return
        log.info("%s goes back to %d replicas", model, fewer.target)
        took_ms = (self._clock.monotonic_s() - began_s) * 1000.0
        self._report(EffectReport(held.fence, self._site, f"given back: {fewer.id}", "applied", took_ms))

    # One task

    def _start(self, task: ScaleTask) -> "asyncio.Task[None]":
        running = asyncio.create_task(self._see_through(task), name=f"scaling {task.model} by {task.fence}")
        self._running[task.model] = running

        def over(ended: "asyncio.Task[None]") -> None:
            if self._running.get(task.model) is ended:
                del self._running[task.model]
            if not ended.cancelled() and ended.exception() is not None:
                log.error("%s ended by a defect", self._what(task), exc_info=ended.exception())

        running.add_done_callback(over)
        return running

    def _supersede(self, known: ScaleTask | None, fence: Fence) -> None:
        running = self._running.pop(known.model, None) if known is not None else None
        if known is not None and running is not None:
            running.cancel()
            self._tell(known, "refused", 0.0, f"round {fence} decided about {known.model} before it was done")

    async def _see_through(self, task: ScaleTask) -> None:
        began_s = self._clock.monotonic_s()
        why = None
        try:
            if task.step is Step.APPLY:
                task, why = await self._apply(task)
            state = "applied"
            if task.step is Step.UNDO:
                log.warning("%s is undone: %s", self._what(task), why or "a start before this one began to")
                await self._undo(task)
                state = "undone"
        except EdgeMindError as exc:
            state, why = "refused" if isinstance(exc, StaleFence) else "failed", str(exc)
            log.log(logging.INFO if state == "refused" else logging.ERROR, "%s %s: %s", self._what(task), state, exc)
            await self._give_up(task)
        self._tell(task, state, (self._clock.monotonic_s() - began_s) * 1000.0, why)

    async def _apply(self, task: ScaleTask) -> tuple[ScaleTask, str | None]:
        """The task as it stands then: done, or to be undone, and why. Raises PermanentError if nothing was changed."""
        reached = task

        async def attempt() -> bool:
            nonlocal reached
            if reached.before is None:
                await self._keep(reached)
                held = (await self.scaler.replicas()).get(task.model, Replicas(1, 1))
                if held.fence == task.fence:
                    # It was done, and maybe given back since, by a controller whose record of it is gone.
                    return True
                await self._keep(reached := reached.seen(held.wanted))
            scaled = await self.scaler.scale(task.model, reached.number, task.fence)
            return scaled.ready >= reached.number

        why = await self._until(attempt, self.policy.ready_within_s)
        if reached.before is None and why is not None:
            raise PermanentError(why)
        reached = replace(reached, step=Step.DONE if why is None else Step.UNDO)
        await self._conclude(reached)
        return reached, why

    async def _undo(self, task: ScaleTask) -> None:
        async def attempt() -> bool:
            await self.scaler.scale(task.model, task.number, task.fence)
            return True

        await self._until(attempt, None)
        await self._conclude(replace(task, step=Step.DONE))

    async def _until(self, attempt: Callable[[], Awaitable[bool]], give_up_s: float | None) -> str | None:
        """Again, with longer pauses, until it succeeds (None) or its time is over (then why it had not)."""
        began_s, pause_s = self._clock.monotonic_s(), FIRST_PAUSE_S
        while True:
            try:
                if await attempt():
                    return None
                why = "its replicas were not ready in time"
            except TemporaryError as exc:
                why = str(exc)
            if give_up_s is not None and self._clock.monotonic_s() - began_s >= give_up_s:
                return why
            await self._sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    # What is on record

    async def _known(self) -> dict[str, ScaleTask]:
        if self._tasks is None:
            read = dict(await asyncio.to_thread(self._journal.read))
            if self._tasks is None:
                self._tasks = read
                for task in read.values():
                    if task.step is not Step.DONE:
                        log.info("going on with %s of round %s", self._what(task), task.fence)
                        self._start(task)
        return self._tasks

    async def _keep(self, task: ScaleTask) -> None:
        # Persist before asking the scaler: what was there before is not to be learned afterwards.
        await asyncio.to_thread(self._journal.write, task)
        if self._tasks is not None:
            self._tasks[task.model] = task

    async def _give_up(self, task: ScaleTask) -> None:
        """The next start must not begin again. A record that cannot be used stays as it is, for a person."""
        with contextlib.suppress(StateCorrupt):
            await self._conclude(replace(self._tasks[task.model] if self._tasks else task, step=Step.DONE))

    async def _conclude(self, task: ScaleTask) -> None:
        """What is not kept of an end is done once more after a restart, by the same fence and to the same end."""
        if self._tasks is not None:
            self._tasks[task.model] = task
        try:
            await self._keep(task)
        except TemporaryError as exc:
            log.warning("the end of %s cannot be kept: %s", self._what(task), exc)

    def _what(self, task: ScaleTask) -> str:
        return Candidate(Action.SCALE_OUT, self._site, task.target, model=task.model).id

    def _tell(self, task: ScaleTask, state: str, took_ms: float, why: str | None) -> None:
        self._report(EffectReport(task.fence, self._site, self._what(task), state, took_ms, why))


async def _over(running: "asyncio.Task[None]") -> None:
    """Waits until it has ended. That a later decision cancelled it is no matter of whoever waits."""
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()
