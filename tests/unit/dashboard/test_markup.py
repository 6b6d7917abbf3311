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
from dashboard.markup.agent_calls import agent_call_table
from dashboard.markup.alerts import alert_table
from dashboard.markup.elements import bar, slots
from dashboard.markup.explanation import asked_with, candidates, exclusions, outcome, story
from dashboard.markup.flows import flow_matrix, reasons
from dashboard.markup.kpis import kpi_tile, number_tile, spark, thinned, verdict_banner
from dashboard.markup.placement import placement_table
from dashboard.markup.round import effects, replay_table, replay_words, round_story, steps, tally_table, votes
from dashboard.markup.routing import routing_table
from dashboard.markup.sites import header, site_table
from dashboard.resources import AgentCall
from dashboard.verdict import Verdict
from edgemind.domain.fleet_status import ModelStatus, TableStatus
from edgemind.domain.kpi import Level
from edgemind.domain.membership import SiteState
from edgemind.domain.operations_status import AlertState, AlertStatus, KpiStatus, SeriesPage, SiteSeries
from edgemind.domain.swarm.records import KEEP, Outcome
from edgemind.domain.swarm.replay import replay
from edgemind.domain.swarm.votes import ToolCall
from tests.support.round_records import effect, round_record
from tests.unit.dashboard.fleets import AT_MS, counters, fleet, site

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>\"'&`</td></table><script>"
EXAMPLE: Explanation = TypeAdapter(Explanation).validate_json(
    (Path(__file__).parents[2] / "support" / "explanation.json").read_bytes()
)

KPI = KpiStatus(
    "slo_attainment_ratio", "SLO attainment", "ratio", "In time.", "above", 0.9952, 0.99, Level.OK, trend=[0.9, 1.0]
)
ALERT = AlertStatus(
    "a1", "added_latency_ms", Level.CRITICAL, AlertState.FIRING, "site-b", "site-b is slow", "runbooks/x.md", AT_MS,
    value=120.0, limit=100.0, unit="ms",
)  # fmt: skip


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
        header(whole, NOON), placement_table([one]), site_table([one]), flow_matrix(flow, [name]), reasons(flow),
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
    assert "site-b ● alive 5.2 ms away 5 1.2 ms 40 ms 50 % 2 0 120 ms" in shown


def test_old_numbers_of_a_site_that_is_down_are_not_shown() -> None:
    shown = Page(site_table([site("site-c", SiteState.SUSPECTED)])).text
    assert "▲ suspected" in shown
    assert "does not answer" in shown
    assert "2/4" not in shown


def test_a_site_without_a_controller_has_no_counters() -> None:
    one = site("theirs", SiteState.DECLARED, counters=None, table_age_ms=None)
    assert "○ declared 5 - - 50 % - - -" in Page(site_table([one])).text


@pytest.mark.parametrize(("in_flight", "text"), [(0, "0/4"), (4, "4/4"), (7, "4/4 +3 waiting")])
def test_who_waits_beyond_the_slots_is_said(in_flight: int, text: str) -> None:
    assert Page(slots(in_flight, 4)).text == text


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


def test_a_round_is_told_with_ballots_votes_and_calls() -> None:
    record = round_record()
    call = ToolCall("capacity analyst", "get_loads", {"site": "site-a"}, {"slots": 3}, 1.5)
    failed = ToolCall("capacity analyst", "get_drains", {}, None, 0.5, failed="no answer")
    voted = {site: replace(vote, voter="strands", tool_calls=(call, failed)) for site, vote in record.votes.items()}
    record = replace(record, votes=voted, effects=(effect(record, "failed", "no slot is free"),))
    assert "Decided: shift 100 % of site-a's llm to site-c" in Page(round_story(record, "12:00:00")).text
    assert "by 3 of 3 ballots (a quorum is 2)" in Page(round_story(record, "12:00:00")).text
    tally = Page(tally_table(record)).text
    assert "Candidate Points Share site-a site-b site-c" in tally
    assert "1. 1. 1." in tally
    said = Page(votes(record)).text
    assert "site-a : strands voter" in said
    assert 'capacity analyst asked get_loads(site="site-a") in 1.5 ms: {"slots": 3}' in said
    assert "failed: no answer" in said
    assert 'class="em-bad">failed' in effects(record)
    assert "no slot is free" in Page(effects(record)).text
    assert "decided 31.2 ms" in Page(steps(record)).text


def test_a_replay_tells_agreement_and_the_first_difference() -> None:
    record = round_record()
    assert replay_words(replay(record)).startswith("Replays: 5 of 5 agree")
    forged = replace(record, outcome=Outcome(KEEP))
    assert replay_words(replay(forged)) == "Does not replay: the outcome differs first."
    assert "✕ different" in Page(replay_table(replay(forged))).text
    learned = round_record(3, "site-b")
    assert "1 not recorded where this was kept" in replay_words(replay(learned))


def test_nothing_of_a_round_an_alert_a_kpi_or_a_call_is_read_as_html() -> None:
    candidate = replace(round_record().candidates[1], model=HOSTILE, site=HOSTILE, of=HOSTILE)
    call = ToolCall(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}, HOSTILE, 1.0, HOSTILE)
    vote = replace(round_record().votes["site-a"], voter=HOSTILE, tool_calls=(call,))
    record = replace(
        round_record(), breached=HOSTILE, candidates=(candidate,), votes={HOSTILE: vote}, ended=HOSTILE, outcome=None,
        coordinator=HOSTILE, effects=(replace(effect(round_record(), HOSTILE, HOSTILE), what=HOSTILE, site=HOSTILE),),
    )  # fmt: skip
    hostile_alert = replace(ALERT, text=HOSTILE, site=HOSTILE, runbook=HOSTILE, unit=HOSTILE)
    status = TableStatus(HOSTILE, 1, 1, 1.0, {HOSTILE: {HOSTILE: 1.0}})
    pages = [
        round_story(record, HOSTILE), tally_table(record), votes(record), effects(record),
        alert_table([hostile_alert], 0.0), kpi_tile(replace(KPI, title=HOSTILE, why=HOSTILE, value=None)),
        verdict_banner(Verdict(Level.OK, HOSTILE, (HOSTILE,))), number_tile(HOSTILE, HOSTILE, HOSTILE),
        agent_call_table([AgentCall(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1.0, HOSTILE)], UTC),
        routing_table(status), placement_table([site(HOSTILE, models=[ModelStatus(HOSTILE, 1, 2, 1.0, True, 1.0)])]),
    ]  # fmt: skip
    for html in pages:
        page = Page(html)
        assert not {"img", "script"} & set(page.tags)
        assert "alert(1)" in page.text


def test_a_kpi_shows_its_value_its_target_and_its_level_in_words() -> None:
    shown = Page(kpi_tile(KPI)).text
    assert "SLO attainment 99.52 % ● on target target over 99 %" in shown
    unknown = Page(kpi_tile(replace(KPI, value=None, level=Level.UNKNOWN, why="no bill was read"))).text
    assert "SLO attainment unknown ○ not measured target over 99 % no bill was read" in unknown


def test_an_alert_tells_what_where_and_for_how_long() -> None:
    shown = Page(alert_table([ALERT], AT_MS + 95_000.0)).text
    assert "✕ critical site-b is slow docs/runbooks/x.md site-b 2 min" in shown
    over = replace(ALERT, state=AlertState.RESOLVED, ended_ms=AT_MS + 30_000)
    assert "30 s, over" in Page(alert_table([over], AT_MS + 95_000.0)).text
    # The reader's clock may be behind the fleet's.
    assert "0 s" in Page(alert_table([ALERT], AT_MS - 95_000.0)).text


@pytest.mark.parametrize(
    ("values", "shown"), [([], False), ([1.0], False), ([None, None], False), ([0.0, 0.0], False), ([0.0, 1.0], True)]
)
def test_a_trend_is_drawn_from_two_known_values_on(values: list[float | None], shown: bool) -> None:
    assert ("polygon" in spark(values)) is shown


def test_a_long_trend_is_thinned_and_keeps_its_peak() -> None:
    values: list[float | None] = [1.0] * 450
    values[101] = 9.0
    values[200:230] = [None] * 30
    thin = thinned(values, 40)
    assert (len(thin), max(one for one in thin if one is not None)) == (40, 9.0)
    assert None in thin


def test_places_that_serve_a_model_show_slots_replicas_and_what_is_not_ready() -> None:
    scaled = ModelStatus("llm", 7, 6, 400.0, True, 5.0, 2, 3)
    rows = [site("site-a", models=[scaled]), site("site-b", models=[ModelStatus("llm", 0, 3, 1.0, False, 0.0)])]
    shown = Page(placement_table(rows)).text
    assert "site-a 6/6 +1 waiting in 2 replicas" in shown
    assert "site-b ✕ not ready" in shown


def test_series_are_drawn_beside_their_numbers_and_sites_that_do_not_answer_come_first() -> None:
    series = SeriesPage(AT_MS, 5000, 2, [SiteSeries("site-a", {"requests_per_s": [1.0, 2.0]})])
    html = site_table([site("site-a"), site("site-b", SiteState.GONE)], series)
    assert html.count("polygon") == 1
    assert html.index("site-b") < html.index("site-a")
