"""Looks for breaches at the own site, and asks the swarm what to do about one that is confirmed."""

import logging
from collections.abc import Callable, Mapping

from edgemind.domain.swarm.breach import BreachChange, BreachWatch, Measures
from edgemind.domain.swarm.proposals import propose, propose_replicas
from edgemind.domain.swarm.records import Candidate
from edgemind.domain.worker_reports import merge_counters
from edgemind.errors import PermanentError
from edgemind.ports.clock import Clock
from edgemind.services.own_site import OwnSite
from edgemind.services.rounds.loads import KnownLoads

log = logging.getLogger("edgemind.rounds")


class ThresholdWatch:
    """`propose` is given what to vote about, and what was measured, and says whether the swarm was asked; `over` is
    given the model whose breach has ended.

    A breach that lasts is proposed again after `cooldown_ms`, by this site's monotonic clock: what was decided before
    has had that long to help, whoever asked for it (`since_change_ms`). Until then KEEP would win anyway. One that is
    passed over, because another round is under way, is proposed with the next sample.
    """

    def __init__(
        self,
        watch: BreachWatch,
        loads: KnownLoads,
        cooldown_ms: float,
        propose: Callable[[tuple[Candidate, ...], Measures], bool],
        over: Callable[[str], None],
        since_change_ms: Callable[[], float | None],
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._loads = loads
        self._cooldown_s = cooldown_ms / 1000.0
        self._propose = propose
        self._over = over
        self._since_change_ms = since_change_ms
        self._clock = clock
        self._asked_s: dict[str, float] = {}

    def inherit(self, before: "ThresholdWatch") -> None:
        """Go on after a reload: what was asked stays asked."""
        self._asked_s = before._asked_s

    def sample(self, own: OwnSite) -> BreachChange:
        """One look, to be taken every `sample_ms`."""
        change = self._watch.observe(measures_of(own))
        for model in change.over:
            log.info("the breach of %s is over", model)
            self._asked_s.pop(model, None)
            self._over(model)
        # One at a time: a round is about one model, and one is decided before the next may open.
        for model, measures in change.breaching.items():
            if self._may_ask(model) and self._ask(own, model, measures):
                log.info("a breach of %s is confirmed: %s", model, _words(measures))
                break
        return change

    def ask(self, own: OwnSite, model: str, replicas: int | None = None) -> None:
        """Ask the swarm about a model without a breach; with `replicas`, whether so many shall run here or all stays.

        PermanentError if the site does not hold it, or cannot run so many.
        """
        measures = measures_of(own)
        if model not in measures:
            held = ", ".join(sorted(measures)) or "nothing"
            raise PermanentError(f"{own.site.name} does not hold {model!r}; it holds {held}")
        log.info("the swarm is asked about %s, because an operator wants it", model)
        loads = self._loads.of(model)
        candidates = None if replicas is None else propose_replicas(loads, own.site.name, model, replicas)
        self._ask(own, model, measures[model], candidates)

    def _may_ask(self, model: str) -> bool:
        since_ms = self._since_change_ms()
        if since_ms is not None and since_ms < self._cooldown_s * 1000.0:
            return False
        asked_s = self._asked_s.get(model)
        return asked_s is None or self._clock.monotonic_s() - asked_s >= self._cooldown_s

    def _ask(
        self, own: OwnSite, model: str, measures: Measures, candidates: tuple[Candidate, ...] | None = None
    ) -> bool:
        loads = self._loads.of(model)
        if own.site.name not in loads:
            return False
        asked = self._propose(candidates or propose(loads, own.site.name, model), measures)
        if asked:
            self._asked_s[model] = self._clock.monotonic_s()
        return asked


def measures_of(own: OwnSite) -> dict[str, Measures]:
    """What can be measured of each model held here: occupancy and queue of its slots, and added latency.

    Added latency is the site's median of the last seconds: of a hundred requests the slowest is no breach. It counts
    for the model that is busiest per slot, whose queue it most likely is.
    """
    busy = {model: (load.in_flight, load.slots) for model, load in own.loads().items() if load.slots > 0}
    return measures_from(busy, merge_counters(report.counters for report in own.reports()).added_ms_p50)


def measures_from(busy: Mapping[str, tuple[int, int]], latency_ms: float | None) -> dict[str, Measures]:
    """As `measures_of`, from requests in flight and slots by model, and the site's median of added latency."""
    measures: dict[str, dict[str, float]] = {
        model: {"occupancy_ratio": in_flight / slots, "queue_depth": float(max(0, in_flight - slots))}
        for model, (in_flight, slots) in busy.items()
    }
    if measures and latency_ms is not None:
        busiest = max(sorted(measures), key=lambda model: measures[model]["occupancy_ratio"])
        measures[busiest]["latency_ms"] = latency_ms
    return {**measures}


def _words(measures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(measures.items()))
