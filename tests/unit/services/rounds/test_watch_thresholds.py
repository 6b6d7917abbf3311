"""From what gateways report to what the swarm is asked, on a clock that the test moves."""

import pytest

from edgemind.domain.swarm.breach import BreachWatch, Measures
from edgemind.domain.swarm.records import KEEP, Action, Candidate
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.errors import PermanentError
from edgemind.services.rounds.loads import KnownLoads
from edgemind.services.rounds.watch_thresholds import ThresholdWatch, measures_of
from tests.support.controllers import Metro, metro, report, site

COOLDOWN_S = 5.0


class Watched:
    """The watch of site-a in a metro of three."""

    def __init__(self) -> None:
        self.metro = Metro(metro(site("site-a"), site("site-b"), site("site-c")))
        self.own = self.metro.controllers["site-a"].own
        self.asked: list[tuple[tuple[Candidate, ...], Measures]] = []
        self.over: list[str] = []
        around = self.metro.controllers["site-a"].neighbourhood
        self.loads = KnownLoads(self.own, around, VotingPolicy(), self.metro.clock)
        self.busy = False
        self._breaches = BreachWatch(Thresholds())
        self.watch = self.new_watch()

    def new_watch(self) -> ThresholdWatch:
        return ThresholdWatch(
            self._breaches,
            self.loads,
            COOLDOWN_S * 1000,
            self._propose,
            self.over.append,
            lambda: None,
            self.metro.clock,
        )

    def _propose(self, candidates: tuple[Candidate, ...], measures: Measures) -> bool:
        if not self.busy:
            self.asked.append((candidates, measures))
        return not self.busy

    def sample(self, times: int, in_flight: int, **stats: float) -> None:
        for _ in range(times):
            for name in self.metro.running:
                busy = in_flight if name == "site-a" else 1
                load = {"in_flight": busy, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 1.0}
                self.metro.controllers[name].own.take(report(name, models={"detector": load}, stats=stats))
            self.metro.rounds(1)
            self.watch.sample(self.own)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_confirmed_breach_is_proposed_with_what_was_measured(watched: Watched) -> None:
    watched.sample(2, in_flight=9)
    assert watched.asked == []
    watched.sample(1, in_flight=9)
    [(candidates, measures)] = watched.asked
    assert KEEP in candidates
    assert {candidate.model for candidate in candidates if candidate != KEEP} == {"detector"}
    assert {candidate.site for candidate in candidates if candidate != KEEP} == {"site-b", "site-c"}
    assert measures == {"occupancy_ratio": 9 / 4, "queue_depth": 5.0}


def test_a_breach_that_lasts_is_proposed_again_after_the_cooldown_only(watched: Watched) -> None:
    watched.sample(50, in_flight=9)
    assert len(watched.asked) == 1
    watched.sample(10, in_flight=9)
    assert len(watched.asked) == 2


def test_a_breach_that_is_passed_over_is_proposed_when_the_round_before_is_over(watched: Watched) -> None:
    watched.busy = True
    watched.sample(9, in_flight=9)
    watched.busy = False
    watched.sample(1, in_flight=9)
    assert len(watched.asked) == 1
    watched.sample(9, in_flight=9)
    assert len(watched.asked) == 1


def test_a_reload_forgets_no_cooldown(watched: Watched) -> None:
    watched.sample(9, in_flight=9)
    before, watched.watch = watched.watch, watched.new_watch()
    watched.watch.inherit(before)
    watched.sample(9, in_flight=9)
    assert len(watched.asked) == 1


def test_a_breach_that_ended_is_told_and_the_next_one_waits_for_nothing(watched: Watched) -> None:
    watched.sample(3, in_flight=9)
    watched.sample(5, in_flight=1)
    assert watched.over == ["detector"]
    watched.sample(3, in_flight=9)
    assert len(watched.asked) == 2


def test_latency_counts_for_the_busiest_model_and_half_of_all_requests_must_be_late(watched: Watched) -> None:
    watched.sample(3, in_flight=1, added_ms_p50=20.0, added_ms_p99=5000.0)
    assert watched.asked == []
    watched.sample(3, in_flight=1, added_ms_p50=300.0, added_ms_p99=5000.0)
    [(_, measures)] = watched.asked
    assert measures["latency_ms"] == 300.0


def test_an_operator_may_ask_about_a_model_of_the_site(watched: Watched) -> None:
    watched.sample(1, in_flight=1)
    watched.watch.ask(watched.own, "detector")
    assert len(watched.asked) == 1
    with pytest.raises(PermanentError, match="site-a does not hold 'llm'; it holds detector"):
        watched.watch.ask(watched.own, "llm")


def test_what_nobody_holds_is_not_measured(watched: Watched) -> None:
    asked_for = {"in_flight": 0, "slots": 0, "service_ms": 0.0, "arrivals_per_s": 3.0, "ready": False}
    watched.own.take(report("site-a", models={"llm": asked_for}))
    assert set(measures_of(watched.own)) == {"detector"}


def test_a_site_votes_by_the_loads_of_the_sites_that_are_named(watched: Watched) -> None:
    watched.sample(1, in_flight=9)
    assert watched.loads.of("detector") == {
        "site-a": SiteLoad(4, 9.0), "site-b": SiteLoad(4, 1.0), "site-c": SiteLoad(4, 1.0)
    }  # fmt: skip
    assert watched.loads.of("llm") == {}
    assert set(watched.loads.of("")) == {"site-a", "site-b", "site-c"}
    view = watched.loads.view([Candidate(KEEP.action, ""), *watched_paper()], since_change_ms=7.0)
    assert set(view.loads) == {"site-a", "site-b"}
    assert view.since_change_ms == 7.0


def watched_paper() -> list[Candidate]:
    return [Candidate(Action.SHIFT, "site-b", 100, "site-a", "detector")]
