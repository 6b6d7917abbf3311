"""Tables as HTML: what they say, and that nothing of a fleet is ever read as HTML."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from dashboard.explanations import CostTerms, Explanation
from dashboard.history import Flows
from dashboard.markup.elements import bar, slots
from dashboard.markup.explanation import asked_with, candidates, exclusions, outcome, story
from dashboard.markup.flows import flow_matrix, reasons
from dashboard.markup.rounds import round_table
from dashboard.markup.sites import header, site_table, tiles
from edgemind.domain.fleet_status import ModelStatus
from edgemind.domain.membership import SiteState
from edgemind.domain.swarm.records import KEEP, Outcome
from edgemind.domain.swarm.summaries import EffectLine, summary_of
from tests.support.round_records import effect, round_record
from tests.unit.dashboard.fleets import counters, fleet, site

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>\"'&`</td></table><script>"
EXAMPLE: Explanation = TypeAdapter(Explanation).validate_json(
    (Path(__file__).parents[2] / "support" / "explanation.json").read_bytes()
)


class Page(HTMLParser):
    """Tags and text of a fragment, and whether every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def flowing(**by_ingress: dict[str, int]) -> Flows:
    result = Flows(10.0)
    for name, places in by_ingress.items():
        result.add(name.replace("_", "-"), counters(sum(places.values()), by_site=places, by_reason={"table": 1}))
    return result


def hostile_explanation() -> Explanation:
    terms = CostTerms(HOSTILE, HOSTILE, 1.0, 0.0, 2.0, 3.0, 6.0, 12.0, 1, 4, 0.5)
    return replace(
        EXAMPLE, model=HOSTILE, site=HOSTILE, chosen=HOSTILE, runner_up=HOSTILE, reason=HOSTILE, tenant=HOSTILE,
        residency=(HOSTILE,), candidates=(terms,), session=HOSTILE, exclusions=(
            replace(EXAMPLE.exclusions[0], site=HOSTILE, why=HOSTILE),
        ),
    )  # fmt: skip


def everything(name: str) -> list[str]:
    """Each table with `name` wherever a name can stand."""
    one = site(name, models=[ModelStatus(name, 9, 4, 1.0, True, 1.0)], counters=counters(3, by_site={name: 3}))
    flow = Flows(10.0)
    flow.add(name, counters(3, by_site={name: 2, "b": 1}, by_reason={name: 3}))
    whole = replace(fleet(one), metro=name, asked=name)
    told = hostile_explanation()
    return [
        header(whole, NOON), tiles(whole, flow, ""), site_table([one]), flow_matrix(flow, [name]), reasons(flow),
        story(told, NOON), candidates(told), exclusions(told), asked_with(told),
    ]  # fmt: skip


def test_nothing_of_a_fleet_is_read_as_html() -> None:
    for html in everything(HOSTILE):
        page = Page(html)
        assert not {"img", "script"} & set(page.tags)
    assert HOSTILE.replace("`", "`") in Page(everything(HOSTILE)[2]).text


def test_each_state_has_a_sign_of_its_own_and_its_name() -> None:
    shown = Page(header(fleet(*(site(state.value, state) for state in SiteState)), NOON)).text
    assert shown == (
        "● 1 alive ◐ 1 draining ▲ 1 suspected ✕ 1 gone ○ 1 declared metro test, seen from site-a at 12:00:00"
    )


def test_a_site_in_service_is_told_in_full() -> None:
    one = site("site-b", rtt_ms=5.2, counters=counters(9, shed=2, failed=0, added_ms_p50=1.25, added_ms_p99=40.0))
    shown = Page(site_table([one])).text
    assert "site-b ● alive 5.2 ms away 5 1.2 ms 40 ms 2 0 120 ms detector 2/4" in shown


def test_old_numbers_of_a_site_that_is_down_are_not_shown() -> None:
    shown = Page(site_table([site("site-c", SiteState.SUSPECTED)])).text
    assert "▲ suspected" in shown
    assert "does not answer" in shown
    assert "2/4" not in shown


def test_a_site_without_a_controller_has_no_counters() -> None:
    one = site("theirs", SiteState.DECLARED, counters=None, table_age_ms=None)
    assert "○ declared 5 - - - - - detector" in Page(site_table([one])).text


@pytest.mark.parametrize(("in_flight", "text"), [(0, "0/4"), (4, "4/4"), (7, "4/4 +3 waiting")])
def test_who_waits_beyond_the_slots_is_said(in_flight: int, text: str) -> None:
    assert Page(slots(in_flight, 4)).text == text


def test_a_model_that_is_not_ready_says_so_instead_of_a_number() -> None:
    one = site("site-a", models=[ModelStatus("llm", 0, 2, 1.0, False, 0.0)])
    assert "llm not ready" in Page(site_table([one])).text


@pytest.mark.parametrize(("ratio", "width"), [(-1.0, "0.0%"), (0.5, "50.0%"), (7.0, "100.0%")])
def test_a_bar_stays_in_its_frame(ratio: float, width: str) -> None:
    assert f"width:{width}" in bar(ratio)


def test_the_matrix_has_a_row_for_each_ingress_and_a_column_for_each_place() -> None:
    flow = flowing(site_a={"site-a": 30, "site-b": 10}, site_b={"site-b": 5, "cloud": 5})
    shown = Page(flow_matrix(flow, ["site-a", "site-b", "site-c"])).text
    assert "Asked at site-a site-b cloud" in shown
    assert "site-a 75 % 3/s 25 % 1/s ·" in shown
    assert "site-b · 50 % 0.50/s 50 % 0.50/s" in shown
    assert "site-c" not in shown


def test_reasons_are_told_in_words() -> None:
    assert Page(reasons(flowing(a={"a": 1}))).text == "table 100 % the routing table chose it"


def test_tiles_tell_the_last_minute_and_the_whole() -> None:
    shown = Page(tiles(fleet(site("a", counters=counters(50, shed=7))), flowing(a={"a": 1}), "local")).text
    assert "Shed 0 in the last 10 s; 7 since the start" in shown
    assert "Oldest table 120 ms" in shown


def test_a_story_says_what_was_asked_where_it_ran_and_why() -> None:
    shown = Page(story(EXAMPLE, NOON)).text
    assert shown.startswith("simulated-detector asked at site-a ran at site-b , because fresh reports made another")
    assert "Predicted 21.3 ms, took 22.9 ms (first byte 22.7 ms); status 200." in shown
    there = replace(EXAMPLE, chosen="site-a", reason="local")
    assert "ran there itself, because the ingress itself had a free slot" in Page(story(there, NOON)).text


def test_a_refusal_is_told_as_one() -> None:
    shed = replace(EXAMPLE, chosen=None, reason="shed:overloaded", status=503, attempts=(), actual_ms=0.0)
    shown = Page(story(shed, NOON)).text
    assert "was refused, because every site is too full for its deadline and priority (overloaded)." in shown
    assert outcome(shed) == "Answered 503."


def test_tries_are_told_if_there_was_more_than_one() -> None:
    first = replace(EXAMPLE.attempts[0], site="site-c", outcome="connection refused")
    twice = replace(EXAMPLE, attempts=(first, *EXAMPLE.attempts))
    assert outcome(twice).endswith("Tried site-c (connection refused), then site-b (ok).")


def test_candidates_come_soonest_first_with_their_marks_and_terms() -> None:
    shown = Page(candidates(EXAMPLE)).text
    order = [shown.index(name) for name in ("site-b ✓ chosen", "site-a runner-up", "site-d")]
    assert order == sorted(order)
    assert "site-a runner-up 30.4 ms 0 ms 0 ms 15.2 ms 15.2 ms 60.8 ms 7/4 80 %" in shown
    assert "under 4" in shown
    assert "report too old to compare" in shown
    assert Page(candidates(replace(EXAMPLE, candidates=()))).text == "There was no candidate."


def test_exclusions_and_the_requests_own_terms_are_told() -> None:
    assert Page(exclusions(EXAMPLE)).text == "site-c : outside the residency"
    assert "Nobody was left out" in Page(exclusions(replace(EXAMPLE, exclusions=()))).text
    shown = Page(asked_with(EXAMPLE)).text
    assert "Deadline 100 ms Priority normal Residency de Device class xr Session last at -" in shown
    assert "Table version 1767225600000" in shown


def test_an_explanation_with_nothing_but_the_required_fields_is_told_too() -> None:
    least = {"id": "dec-a-0-0123456789abcdef", "at_ms": 1, "site": "a", "model": "m", "reason": ""}
    told: Explanation = TypeAdapter(Explanation).validate_json(json.dumps(least))
    for html in (story(told, NOON), candidates(told), exclusions(told), asked_with(told)):
        Page(html)
    assert told.under_way


def test_rounds_are_told_in_a_row_each_and_what_failed_stands_out() -> None:
    record = round_record()
    failed = replace(record, effects=(effect(record, "failed"),))
    page = Page(round_table([summary_of(failed), summary_of(round_record(2, "site-b"))], UTC))
    for said in (
        "1.3",
        "00:00:03",
        "llm at site-a",
        "shift 100 % of site-a's llm to site-c",
        "31.2 ms",
        "3/3",
        "site-c failed",
    ):
        assert said in page.text
    assert 'class="em-bad">site-c failed' in round_table([summary_of(failed)], UTC)
    timed_out = replace(record, outcome=Outcome(KEEP, timed_out=True))
    assert 'class="em-bad">keep things' in round_table([summary_of(timed_out)], UTC)


def test_nothing_of_a_round_is_read_as_html() -> None:
    line = replace(
        summary_of(round_record()), told=HOSTILE, model=HOSTILE, breached=HOSTILE, coordinator=HOSTILE,
        effects=[EffectLine(HOSTILE, HOSTILE, HOSTILE)],
    )  # fmt: skip
    page = Page(round_table([line], UTC))
    assert not {"img", "script"} & set(page.tags)
    assert page.text.count("alert(1)") == 6
