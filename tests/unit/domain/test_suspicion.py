"""Suspicion, refutation, and what old numbers cannot do."""

from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.suspicion import NUMBER_LIMIT, SUSPECTS_LIMIT, Rumours, Suspicions, usable

SITES = ("a", "b", "c", "x")


def view(me: str, first: int = 10) -> Suspicions:
    return Suspicions(me, first, SITES)


def tell(sender: Suspicions, to: Suspicions, name: str, receiver: str) -> None:
    to.hear(name, sender.refutation, sender.rumours(receiver))


def test_a_neighbour_that_does_not_answer_is_suspected_here_and_told_of() -> None:
    a = view("a")
    a.hear("x", 10, Rumours(10))
    a.observe({"x": False, "b": True})
    assert a.suspected() == {"x"}
    assert a.rumours("b").suspects == {"x": 10}


def test_a_suspicion_about_a_site_that_is_not_asked_counts_and_one_about_a_site_that_answers_does_not() -> None:
    far, near = view("c"), view("b")
    near.observe({"x": True})
    for hearer in (far, near):
        hearer.hear("a", 10, Rumours(10, {"x": 10}))
    assert far.suspected() == {"x"}
    assert near.suspected() == frozenset()
    assert near.rumours("c").suspects == {}
    assert near.rumours("x").suspects == {"x": 10}, "x itself must hear of it, to refute"


def test_who_hears_itself_suspected_refutes_and_is_believed() -> None:
    x, far = view("x"), view("c")
    far.hear("a", 10, Rumours(10, {"x": 10}))
    tell(far, x, "c", "x")
    assert x.refutation == 11
    tell(far, x, "c", "x")
    assert x.refutation == 11, "once for each suspicion"
    tell(x, far, "x", "c")
    assert far.suspected() == frozenset()


def test_who_suspects_under_an_old_number_is_told_the_newer_one() -> None:
    accuser, knows, far = view("a"), view("b"), view("c")
    knows.hear("x", 11, Rumours(11))
    for hearer in (knows, far):
        hearer.hear("a", 10, Rumours(10, {"x": 10}))
    assert knows.rumours("a").refuted == {"x": 11}
    assert knows.rumours("c").refuted == {}
    tell(knows, accuser, "b", "a")
    far.hear("b", 10, Rumours(10, refuted={"x": 11}))
    assert accuser.suspected() == far.suspected() == frozenset()


def test_two_sites_that_only_do_not_reach_each_other_accuse_once() -> None:
    a = view("a")
    a.observe({"x": False, "b": True})
    a.hear("b", 10, Rumours(10, refuted={"x": 11}))
    a.observe({"x": False, "b": True})
    assert a.rumours("b").suspects == {}
    assert a.suspected() == {"x"}, "this way is closed all the same"

    a.observe({"x": True, "b": True})
    a.observe({"x": False, "b": True})
    assert a.rumours("b").suspects == {"x": 11}, "it answered since: that it ceased is news"


def test_who_is_cut_off_accuses_nobody_then_or_while_it_comes_back() -> None:
    a = view("a")
    a.observe({"b": False, "c": False, "x": True}, ["gone"], trusted=False)
    assert a.suspected() == {"b", "c"}
    a.observe({"b": True, "c": False, "x": True})
    assert a.rumours("x").suspects == {}
    a.observe({"b": True, "c": True, "x": True})
    a.observe({"b": True, "c": False, "x": True})
    assert a.rumours("x").suspects == {"c": 0}, "this silence began later"


def test_a_site_that_ceases_to_ask_is_accused_once() -> None:
    a = view("a")
    a.hear("x", 10, Rumours())
    a.observe({"b": True}, ["x"])
    assert a.suspected() == {"x"}
    a.hear("x", 11, Rumours())
    a.observe({"b": True})
    assert a.suspected() == frozenset()


def test_an_old_process_and_its_old_messages_overrule_nothing() -> None:
    c = view("c")
    c.hear("x", 20, Rumours(20))
    c.hear("a", 1, Rumours(1, {"x": 19}))
    assert c.suspected() == frozenset(), "a suspicion of an earlier life"

    c.hear("a", 1, Rumours(1, {"x": 20}))
    c.hear("x", 12, Rumours(12, {"b": 3}))
    assert c.suspected() == {"b", "x"}, "an earlier life of x does not refute what is said of its present one"
    c.hear("b", 10, Rumours(10))
    assert c.suspected() == {"x"}


def test_who_is_back_with_its_clock_set_back_passes_its_old_number_once_it_hears_of_it() -> None:
    x, c = view("x", first=5), view("c")
    c.hear("a", 1, Rumours(1, {"x": 20}))
    tell(x, c, "x", "c")
    assert c.suspected() == {"x"}
    tell(c, x, "c", "x")
    tell(x, c, "x", "c")
    assert c.suspected() == frozenset()


def test_nothing_is_kept_about_strangers_and_of_who_left() -> None:
    c = view("c")
    c.hear("stranger", 5, Rumours(5, {"nobody": 3, "x": 3}, {"nobody": 9}))
    assert c.suspected() == {"x"}
    c.know(("a", "b"))
    assert c.suspected() == frozenset()
    c.know(SITES)
    assert c.rumours("a") == Rumours(10)


def test_a_beacon_carries_a_bounded_number_of_suspicions_the_receivers_own_first() -> None:
    sites = [f"site-{number:03}" for number in range(2 * SUSPECTS_LIMIT)]
    me = Suspicions("me", 1, sites)
    me.observe({}, sites)
    carried = me.rumours(sites[-1]).suspects
    assert len(carried) == SUSPECTS_LIMIT
    assert sites[-1] in carried


def test_what_could_not_be_passed_on_is_not_taken() -> None:
    assert usable({"x": NUMBER_LIMIT, "y": NUMBER_LIMIT - 1}) == {"y": NUMBER_LIMIT - 1}
    assert len(usable(dict.fromkeys(map(str, range(500)), 1))) == SUSPECTS_LIMIT


@given(st.lists(st.tuples(st.sampled_from(SITES), st.sampled_from(SITES), st.sampled_from(SITES)), max_size=60))
def test_once_everybody_hears_everybody_nobody_that_is_up_is_suspected(story: list[tuple[str, str, str]]) -> None:
    """Whatever was accused and told before, in whatever order."""
    views = {name: view(name) for name in SITES}
    for speaker, hearer, accused in story:
        views[speaker].observe({site: site != accused for site in SITES if site != speaker})
        if speaker != hearer:
            tell(views[speaker], views[hearer], speaker, hearer)
    for one in views.values():
        one.observe({})
    for _ in range(3):
        for speaker in SITES:
            for hearer in SITES:
                if speaker != hearer:
                    tell(views[speaker], views[hearer], speaker, hearer)
    assert [one.suspected() for one in views.values()] == [frozenset()] * len(SITES)
