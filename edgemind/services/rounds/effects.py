"""What a decision does at this site: the overlay of the routing table, replicas, the drain switch.

Load is shifted the moment a SHIFT is known, for that takes a beacon; capacity comes when it comes, behind its fence.
Both end by themselves. The shift ends when the site could serve its own devices again, which asks for their demand and
not for the site's load: the load is low because it was shifted. Replicas go back one by one, decided here and not by a
round: giving back takes no load from anybody, and works while the store is out of reach.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from edgemind.domain.arrivals import DecayedArrivals
from edgemind.domain.beacons import ModelLoad
from edgemind.domain.routing.overlay import Shift, fits, shift_of, with_shift, without_shift
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.swarm.history import EffectReport
from edgemind.domain.swarm.records import Action, Candidate, Fence, Outcome
from edgemind.domain.swarm.scale_task import Lasting, ScalingPolicy, too_many
from edgemind.errors import EdgeMindError
from edgemind.ports.clock import Clock
from edgemind.ports.scaler import Replicas, Scaler
from edgemind.services.neighbourhood import Neighbourhood
from edgemind.services.own_site import OwnSite
from edgemind.services.rounds.scale_replicas import ReplicaScaling

TURN_S = 0.5
RELEASE_S = 3.0
"""How long the demand has to fit before a shift ends."""
DEMAND_MEAN_S = 2.0

log = logging.getLogger(__name__)


class SiteView(Protocol):
    """What a controller knows of its site and of the others; another object after each reload."""

    own: OwnSite
    neighbourhood: Neighbourhood
    policy: RoutingPolicy


class SwarmEffects:
    """Lives on the controller's event loop, across reloads. `effect_done` hears what came of each decision here."""

    def __init__(
        self,
        view: Callable[[], SiteView],
        scaling: ReplicaScaling,
        clock: Clock,
        effect_done: Callable[[EffectReport], None],
    ) -> None:
        self._view = view
        self._scaling = scaling
        self._clock = clock
        self._report = effect_done
        self._fitting: dict[str, Lasting] = {}
        self._superfluous: dict[str, Lasting] = {}
        self._under_way = DecayedArrivals(clock.monotonic_s(), DEMAND_MEAN_S)
        self._last_error: str | None = None

    def use(self, scaler: Scaler, policy: ScalingPolicy) -> None:
        """After a reload."""
        self._scaling.scaler, self._scaling.policy = scaler, policy

    async def close(self) -> None:
        """Stop in the middle, as a process that dies does: the next start goes on."""
        await self._scaling.close()

    # What a round decided

    def learned(self, fence: Fence, outcome: Outcome) -> None:
        """At every site, for every outcome."""
        view, candidate = self._view(), outcome.candidate
        log.info("round %s decided %s%s", fence, candidate.id, " (timed out)" if outcome.timed_out else "")
        if candidate.action is Action.FAIL_OVER and candidate.of != view.own.site.name:
            view.neighbourhood.fail_over(candidate.of, candidate.site, fence, self._clock.monotonic_s())
            return
        if candidate.of != view.own.site.name:
            return
        for shift in self._shifts(fence, outcome, view.own):
            view.own.shifts = with_shift(view.own.shifts, shift)
            self._fitting.pop(shift.model, None)
            log.info("%s takes %d %% of what this site has too much of %s", shift.to, shift.percent, shift.model)
            self._tell(fence, candidate.id)

    def breach_over(self, model: str) -> None:
        """The site's measures of the model are fine again. A shift ends at once if they would be without it, too."""
        view = self._view()
        load = view.own.loads().get(model)
        for shift in view.own.shifts:
            if shift.model == model and self._fits(view, load):
                self._end(view, shift)

    async def execute(self, fence: Fence, outcome: Outcome) -> None:
        """At the site that acts; again is fine. Returns when it is over, whatever came of it.

        A taker of load has nothing to do: the others' tables send it there.
        """
        candidate = outcome.candidate
        match candidate.action:
            case Action.SCALE_OUT:
                await self._scale_out(fence, candidate)
            case Action.DRAIN:
                self._view().own.drain_requested = True
                self._tell(fence, candidate.id)
            case Action.FAIL_OVER:
                self._tell(fence, candidate.id)
            case Action.SHIFT | Action.KEEP:
                pass

    async def _scale_out(self, fence: Fence, candidate: Candidate) -> None:
        try:
            await self._scaling.carry_out(fence, candidate)
        except EdgeMindError as exc:
            # The journal cannot be read: nothing was asked of the scaler.
            log.error("%s failed: %s", candidate.id, exc)
            self._report(EffectReport(fence, candidate.site, candidate.id, "failed", 0.0, str(exc)))

    @staticmethod
    def _shifts(fence: Fence, outcome: Outcome, own: OwnSite) -> list[Shift]:
        """A site that is failed over, and hears of it, sends all that its devices still ask it for to the taker."""
        candidate = outcome.candidate
        if candidate.action is Action.FAIL_OVER:
            return [Shift(model, candidate.site, 100, fence) for model in own.site.models()]
        shift = shift_of(fence, outcome)
        return [] if shift is None else [shift]

    # What follows from it as time goes on

    async def turn(self) -> None:
        """Every `TURN_S`: learn what is ready, end what is over, go on with what a start before this one left."""
        view = self._view()
        try:
            await self._scaling.resume()
            view.own.replicas = await self._scaling.replicas()
            self._last_error = None
        except EdgeMindError as exc:
            # What was known stays: a scaler that does not answer has not lost its replicas.
            if str(exc) != self._last_error:
                log.warning("what became of this site's replicas is unknown: %s", exc)
            self._last_error = str(exc)
        loads, now_s = view.own.loads(), self._clock.monotonic_s()
        self._under_way.observe(now_s, {model: float(load.in_flight) for model, load in loads.items()})
        for shift in view.own.shifts:
            self._release(view, shift, loads.get(shift.model), now_s)
        for model, held in view.own.replicas.items():
            if model in loads:
                await self._give_back(view, model, held, loads[model], now_s)

    def _release(self, view: SiteView, shift: Shift, load: ModelLoad | None, now_s: float) -> None:
        fitting = self._fitting.setdefault(shift.model, Lasting())
        if fitting.holds(self._fits(view, load), now_s, RELEASE_S):
            self._end(view, shift)

    @staticmethod
    def _fits(view: SiteView, load: ModelLoad | None) -> bool:
        if load is None:
            return True
        rate_per_s = load.slots * 1000.0 / load.service_ms if load.has_capacity else 0.0
        return fits(load.arrivals_per_s, rate_per_s, view.policy.fill_ratio)

    def _end(self, view: SiteView, shift: Shift) -> None:
        view.own.shifts = without_shift(view.own.shifts, shift.model)
        self._fitting.pop(shift.model, None)
        log.info("%s takes no more of %s: this site serves its own devices again", shift.to, shift.model)
        over = Candidate(Action.SHIFT, shift.to, shift.percent, view.own.site.name, shift.model)
        self._tell(shift.fence, f"over: {over.id}")

    async def _give_back(self, view: SiteView, model: str, held: Replicas, load: ModelLoad, now_s: float) -> None:
        base = self._scaling.base(model)
        superfluous = self._superfluous.setdefault(model, Lasting())
        slots_each = load.slots // load.replicas if load.replicas else 0
        demand = max(self._under_way.per_s(model), load.arrivals_per_s * load.service_ms / 1000.0)
        shifted = any(shift.model == model for shift in view.own.shifts)
        low = base is not None and not shifted and too_many(held.wanted, base, slots_each, demand)
        if not superfluous.holds(low and held.fence is not None, now_s, self._scaling.policy.keep_for_s):
            return
        del self._superfluous[model]
        try:
            await self._scaling.give_back(model, held)
        except EdgeMindError as exc:
            log.warning("a replica of %s cannot be given back yet: %s", model, exc)

    def _tell(self, fence: Fence, what: str) -> None:
        self._report(EffectReport(fence, self._view().own.site.name, what, "applied", 0.0))
