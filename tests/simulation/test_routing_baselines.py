"""The baselines follow their published rules."""

from collections import Counter
from random import Random

from edgemind.domain.routing.candidates import Candidate, CandidateSet
from edgemind.simulation.balancers import PeakEwma, Prequal
from edgemind.simulation.policies import Threshold
from edgemind.simulation.truth import Truth
from tests.unit.domain.routing.builders import candidate, compiled


def sites(*in_flight: int, slots: int = 10) -> CandidateSet:
    """site-a is the ingress's own; the others are 5, 6, ... ms away."""
    rtts_ms = [0.0, *(float(ms) for ms in range(5, 5 + len(in_flight)))]
    loads = zip("abcdefgh", rtts_ms, in_flight, strict=False)
    return compiled(*(candidate(f"site-{name}", rtt, slots=slots, in_flight=load) for name, rtt, load in loads))


def site_of(choice: object) -> str:
    assert isinstance(choice, tuple)
    one = choice[0]
    assert isinstance(one, Candidate)
    return one.site.name


def test_threshold_stays_until_a_limit_is_passed_then_goes_to_the_nearest_that_is_fine() -> None:
    rule = Threshold()
    assert site_of(rule.choose(sites(8, 0, 0), 0.0)) == "site-a"
    assert site_of(rule.choose(sites(9, 0, 0), 0.0)) == "site-b"
    assert site_of(rule.choose(sites(9, 9, 0), 0.0)) == "site-c"
    assert site_of(rule.choose(sites(9, 9, 9), 0.0)) == "site-a"


def test_threshold_looks_at_latency_too() -> None:
    slow, other = candidate("site-a", service_ms=101.0), candidate("site-b", 5.0)
    assert site_of(Threshold().choose(compiled(slow, other), 0.0)) == "site-b"


def test_peak_ewma_believes_a_peak_at_once_and_forgets_it_slowly() -> None:
    balancer, chosen = PeakEwma(Random(1), decay_ms=1_000.0), sites(0, 0)
    here, there = chosen.members
    balancer.answered(here, 10.0, 0.0)
    balancer.answered(there, 15.0, 0.0)
    assert site_of(balancer.choose(chosen, 0.0)) == "site-a"
    balancer.answered(here, 40.0, 10.0)
    assert site_of(balancer.choose(chosen, 0.0)) == "site-b"
    balancer.answered(here, 10.0, 20.0)
    assert site_of(balancer.choose(chosen, 0.0)) == "site-b"
    balancer.answered(here, 10.0, 20_000.0)
    assert site_of(balancer.choose(chosen, 0.0)) == "site-a"


def test_peak_ewma_looks_at_two_random_candidates_and_at_one_if_there_is_one() -> None:
    balancer = PeakEwma(Random(1))
    assert site_of(balancer.choose(sites(0), 0.0)) == "site-a"
    seen = Counter(site_of(balancer.choose(sites(0, 0, 0, 0), 0.0)) for _ in range(400))
    assert seen.keys() == {"site-a", "site-b", "site-c"}, "the worst of all is never the better of two"
    assert seen["site-a"] > seen["site-b"] > seen["site-c"]


def test_prequal_takes_the_soonest_of_the_cold_and_the_least_loaded_of_the_hot() -> None:
    rule = Prequal(hot_quantile=0.84)
    assert site_of(rule.choose(sites(9, 5, 0, 0, 0, 0), 0.0)) == "site-b", "the most loaded is hot, the next is sooner"
    assert site_of(rule.choose(sites(5, 5, 5), 0.0)) == "site-a", "all equally loaded: all hot"
    assert site_of(Prequal(hot_quantile=0.0).choose(sites(9, 5, 7), 0.0)) == "site-b"


def test_the_oracle_sees_what_is_still_on_its_way_and_how_fast_a_site_is() -> None:
    slow_from_ms = 1_000.0
    truth = Truth(
        [[0.0, 6.0], [6.0, 0.0]], (1, 1), lambda site, now: 45.0 if site == 0 and now >= slow_from_ms else 15.0
    )
    assert truth.best_site(0) == 0
    truth.sent(0, 0.0)
    assert truth.best_site(0) == 1
    truth.finished(0, 10.0)
    assert truth.best_site(0) == 0
    truth.refresh(0, slow_from_ms)
    assert truth.best_site(0) == 1
