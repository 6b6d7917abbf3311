"""The client: how often it asks, what it keeps, and what it says when the fleet does not answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import TypeAdapter

from dashboard.client import EXPLANATIONS_KEPT, FRESH_S, OFFERED_AGAIN_S, FleetClient
from dashboard.connection import Connection
from dashboard.http_calls import Answer
from dashboard.resources import FLEET, KPIS, ROUNDS
from dashboard.trouble import FleetTrouble, NotOffered, Unreachable
from edgemind.domain.fleet_status import FleetStatus
from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.summaries import RoundPage, summary_of
from tests.support.clocks import ManualClock
from tests.support.round_records import round_record
from tests.unit.dashboard.fleets import fleet, site

T = TypeVar("T")
CONNECTION = Connection("http://127.0.0.1:8200", "look")
DECISION = "dec-site-a-0-00c0ffee00c0ffee"
EXPLANATION = json.loads((Path(__file__).parents[2] / "support" / "explanation.json").read_text(encoding="utf-8"))


class Wire:
    """Answers by the first part of the path, and remembers what was asked. An exception is raised."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        status = TypeAdapter(FleetStatus).dump_json(fleet(site("site-a")))
        decisions = json.dumps({"decisions": [], "next_cursor": None, "unreachable": []}).encode()
        self.answers: dict[str, Answer | FleetTrouble] = {
            "fleet": Answer(200, status),
            "decisions": Answer(200, decisions),
            "rounds": Answer(200, TypeAdapter(RoundPage).dump_json(RoundPage([summary_of(round_record())]))),
        }
        self.explain: Callable[[], Answer] = lambda: Answer(200, json.dumps(EXPLANATION).encode())

    def __call__(self, connection: Connection, path: str) -> Answer:
        assert connection == CONNECTION
        self.asked.append(path)
        if path.startswith("decisions/"):
            return self.explain()
        answer = self.answers[path.partition("?")[0]]
        if isinstance(answer, FleetTrouble):
            raise answer
        return answer

    def refuse(self, status: int, message: str) -> None:
        self.answers["fleet"] = Answer(status, json.dumps({"error": {"message": message}}).encode())


def some(value: T | None) -> T:
    assert value is not None
    return value


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(wire: Wire, clock: ManualClock) -> FleetClient:
    return FleetClient(CONNECTION, wire, clock.monotonic_s)


def test_many_tabs_ask_no_more_than_one(client: FleetClient, wire: Wire, clock: ManualClock) -> None:
    for _ in range(5):
        reading = client.read(FLEET)
        client.read(ROUNDS)
    assert reading.value is not None
    assert reading.trouble is None
    assert wire.asked == ["fleet", ROUNDS.path]
    clock.advance(FRESH_S)
    client.read(FLEET)
    assert len(wire.asked) == 3


def test_what_an_older_fleet_does_not_have_is_told_as_such_and_asked_for_seldom(
    client: FleetClient, wire: Wire, clock: ManualClock
) -> None:
    assert [one.fence for one in some(client.read(ROUNDS).value).rounds] == ["1.3"]
    wire.answers["kpis"] = Answer(404, b'{"error": {"code": "not_found", "message": "no such path"}}')
    trouble = client.read(KPIS).trouble
    assert isinstance(trouble, NotOffered)
    assert "does not tell KPIs" in str(trouble)
    clock.advance(FRESH_S)
    client.read(KPIS)
    assert wire.asked.count("kpis") == 1
    clock.advance(OFFERED_AGAIN_S)
    client.read(KPIS)
    assert wire.asked.count("kpis") == 2


def test_what_was_read_last_is_kept_with_its_age_and_the_page_recovers(
    client: FleetClient, wire: Wire, clock: ManualClock
) -> None:
    client.read(FLEET)
    answer, wire.answers["fleet"] = wire.answers["fleet"], Unreachable("The fleet cannot be reached", "start it")
    for _ in range(3):
        clock.advance(2.0)
        reading = client.read(FLEET)
    assert reading.value is not None
    assert reading.age_s == 6.0
    assert str(reading.trouble) == "start it"
    wire.answers["fleet"] = answer
    clock.advance(2.0)
    assert (client.read(FLEET).trouble, client.read(FLEET).age_s) == (None, 0.0)


def test_a_fleet_that_is_down_is_not_asked_by_every_tab_nor_for_everything(client: FleetClient, wire: Wire) -> None:
    wire.answers["fleet"] = Unreachable("The fleet cannot be reached", "start it")
    for _ in range(5):
        assert client.read(FLEET).value is None
        assert str(client.read(ROUNDS).trouble) == "start it"
    assert wire.asked == ["fleet"]


def test_one_that_cannot_answer_for_one_thing_is_asked_for_the_others(client: FleetClient, wire: Wire) -> None:
    wire.answers["rounds"] = Answer(503, b'{"error": {"message": "too many at once"}}')
    assert client.read(ROUNDS).trouble is not None
    assert client.read(FLEET).trouble is None


def test_after_something_was_changed_everything_is_read_anew(client: FleetClient, wire: Wire) -> None:
    client.read(FLEET)
    client.forget()
    client.read(FLEET)
    assert wire.asked == ["fleet", "fleet"]


def test_a_refused_token_says_how_to_give_another(client: FleetClient, wire: Wire) -> None:
    wire.refuse(401, "this is not a token of the fleet.")
    trouble = client.read(FLEET).trouble
    assert trouble is not None
    assert trouble.headline == "The fleet does not accept this page's token"
    assert "--token-file FILE" in str(trouble)
    assert "this is not a token" in str(trouble)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>"),
        Answer(200, b"{}"),
        Answer(200, b""),
        Answer(200, b'{"metro": 5}'),
        Answer(302, b""),
        Answer(404, b"nothing here"),
        Answer(500, b'{"error": "bare"}'),
        Answer(503, b'{"error": {}}'),
    ],
)
def test_whatever_answers_there_the_page_says_something(client: FleetClient, wire: Wire, answer: Answer) -> None:
    wire.answers["fleet"] = answer
    trouble = client.read(FLEET).trouble
    assert trouble is not None
    assert CONNECTION.url in str(trouble)


def test_a_field_of_a_newer_fleet_is_left_aside(client: FleetClient, wire: Wire) -> None:
    known = wire.answers["fleet"]
    assert isinstance(known, Answer)
    wire.answers["fleet"] = Answer(200, json.dumps({**json.loads(known.body), "weather": "fine"}).encode())
    assert client.read(FLEET).trouble is None


def test_a_round_is_read_with_what_is_missing_of_it(client: FleetClient, wire: Wire) -> None:
    document = {**record_document(round_record()), "unreachable": ["site-b"]}
    wire.answers["rounds/1.3"] = Answer(200, json.dumps(document).encode())
    record, missing = client.round("1.3")
    assert (record, missing) == (round_record(), ["site-b"])
    wire.answers["rounds/1.3"] = Answer(200, b'{"fence": "odd"}')
    with pytest.raises(FleetTrouble, match="Run the page from the fleet's version"):
        client.round("1.3")


def test_an_explanation_is_asked_for_once(client: FleetClient, wire: Wire) -> None:
    first, second = client.explain(DECISION), client.explain(DECISION)
    assert first is second
    assert (first.chosen, first.runner_up, len(first.candidates)) == ("site-b", "site-a", 3)
    assert wire.asked == [f"decisions/{DECISION}"]


def test_one_that_is_under_way_is_asked_for_again(client: FleetClient, wire: Wire) -> None:
    wire.explain = lambda: Answer(200, json.dumps({**EXPLANATION, "status": 0, "actual_ms": 0.0}).encode())
    assert client.explain(DECISION).under_way
    client.explain(DECISION)
    assert len(wire.asked) == 2


def test_explanations_are_kept_up_to_a_bound(client: FleetClient, wire: Wire) -> None:
    ids = [f"dec-site-a-0-{number:016x}" for number in range(EXPLANATIONS_KEPT + 1)]
    for one in ids:
        client.explain(one)
    client.explain(ids[-1])
    assert len(wire.asked) == len(ids)
    client.explain(ids[0])
    assert len(wire.asked) == len(ids) + 1


def test_an_id_cannot_reach_another_path(client: FleetClient, wire: Wire) -> None:
    client.explain("../sites/site-a?x=/y")
    assert wire.asked == ["decisions/..%2Fsites%2Fsite-a%3Fx%3D%2Fy"]


def test_an_explanation_that_is_gone_says_so(client: FleetClient, wire: Wire) -> None:
    body: dict[str, Any] = {"error": {"message": "no decision is kept"}}
    wire.explain = lambda: Answer(404, json.dumps(body).encode())
    with pytest.raises(FleetTrouble, match="no decision is kept"):
        client.explain(DECISION)
