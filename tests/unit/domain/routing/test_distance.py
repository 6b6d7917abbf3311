"""Declared distances, and who is near."""

from edgemind.domain.fleet import Site
from edgemind.domain.routing.distance import DEFAULT_RTT_MS, declared_rtt_ms, nearest_sites


def site(name: str, **rtt_ms: float) -> Site:
    return Site(name, frozenset(), (), rtt_ms=rtt_ms)


def test_either_of_two_sites_may_declare_their_distance() -> None:
    one, other = site("a", b=7.0), site("b")
    assert declared_rtt_ms(one, other) == declared_rtt_ms(other, one) == 7.0
    assert declared_rtt_ms(site("a", b=7.0), site("b", a=9.0)) == 7.0, "what the asking site says goes first"


def test_a_site_is_at_no_distance_from_itself() -> None:
    assert declared_rtt_ms(site("a"), site("a")) == 0.0


def test_what_nobody_declares_is_a_default() -> None:
    assert declared_rtt_ms(site("a"), site("b")) == DEFAULT_RTT_MS
    assert declared_rtt_ms(None, site("b")) == declared_rtt_ms(site("a"), None) == DEFAULT_RTT_MS


def test_the_nearest_come_first_and_equal_ones_follow_around() -> None:
    order = [site("a"), site("b"), site("c", a=1.0), site("d")]
    others = [one for one in order if one.name != "c"]
    assert [one.name for one in nearest_sites(order[2], order, others, 2)] == ["a", "d"]
    assert [one.name for one in nearest_sites(order[2], order, others, 9)] == ["a", "d", "b"]
    assert [one.name for one in nearest_sites(order[3], order, order[:3], 1)] == ["a"]


def test_a_site_that_is_not_in_the_order_still_has_neighbours() -> None:
    assert [one.name for one in nearest_sites(site("x"), [site("a")], [site("a")], 3)] == ["a"]
