"""When a site asks the swarm, and when it leaves the last change its time."""

from edgemind.domain.swarm.breach import BreachWatch, Measures
from edgemind.domain.swarm.records import Action, Candidate
from edgemind.domain.swarm.voter import VotingPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.ports.scaler import Replicas
from edgemind.services.rounds.loads import KnownLoads
from edgemind.services.rounds.watch_thresholds import ThresholdWatch
from tests.support.controllers import Metro, metro, report, site


class Watched:
    """site-a with one sample a second; `changed_s` is when the metro last decided a change."""

    def __init__(self) -> None:
        self.group = Metro(metro(site("site-a"), site("site-b")))
        self.own = self.group.controllers["site-a"].own
        self.asked: list[tuple[Candidate, ...]] = []
        self.over: list[str] = []
        self.changed_s: float | None = None
        clock, around = self.group.clock, self.group.controllers["site-a"].neighbourhood
        loads = KnownLoads(self.own, around, VotingPolicy(), clock)
        breaches = BreachWatch(Thresholds(samples=1, breaches=1))
        self.watch = ThresholdWatch(breaches, loads, 5000.0, self._ask, self.over.append, self._since_ms, clock)

    def _ask(self, candidates: tuple[Candidate, ...], measures: Measures) -> bool:
        self.asked.append(candidates)
        return True

    def _since_ms(self) -> float | None:
        return None if self.changed_s is None else (self.group.clock.monotonic_s() - self.changed_s) * 1000.0

    def sample(self, in_flight: int, times: int = 1) -> None:
        for _ in range(times):
            self.group.clock.advance(1.0)
            load = {"in_flight": in_flight, "slots": 4, "service_ms": 10.0}
            for name, controller in self.group.controllers.items():
                models = {"detector": {**load, "in_flight": in_flight if name == "site-a" else 0}}
                controller.gateways.answer(report(name, models=models))
            self.group.beacons()
            self.watch.sample(self.own)


def test_a_breach_that_lasts_is_asked_about_once_a_cooldown() -> None:
    watched = Watched()
    watched.sample(12, times=9)
    assert len(watched.asked) == 2
    watched.sample(0)
    assert watched.over == ["detector"]


def test_nobody_asks_while_a_change_that_another_site_asked_for_has_not_had_its_time() -> None:
    watched = Watched()
    watched.changed_s = watched.group.clock.monotonic_s()
    watched.sample(12, times=4)
    assert watched.asked == []
    watched.sample(12, times=2)
    assert len(watched.asked) == 1


def test_only_what_can_be_scaled_is_proposed() -> None:
    watched = Watched()
    watched.sample(12)
    assert {candidate.action for candidate in watched.asked[0]} == {Action.KEEP, Action.SHIFT}


def test_what_beacons_offer_is_proposed() -> None:
    group = Metro(metro(site("site-a"), site("site-b")))
    for controller in group.controllers.values():
        controller.gateways.answer(report(controller.own.site.name))
    other = group.controllers["site-b"].own
    other.site = site("site-b", max_replicas=3)
    other.replicas = {"detector": Replicas(2, 2)}
    group.beacons()
    around = group.controllers["site-a"].neighbourhood
    loads = KnownLoads(group.controllers["site-a"].own, around, VotingPolicy(), group.clock).of("detector")
    assert (loads["site-b"].replicas, loads["site-b"].max_replicas, loads["site-b"].slots) == (2, 3, 8)
    assert not loads["site-a"].scalable
