"""Rounds over the fleet API: pages, one round, refusals; and the shape that the OpenAPI document promises."""

from typing import Any

import pytest
from starlette.applications import Starlette

from edgemind.domain.swarm.history_documents import parse_record, record_document
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app, openapi_document
from edgemind.entrypoints.controller.round_shapes import RoundShape
from tests.support.asgi import AsgiAnswer, ask
from tests.support.controllers import Metro, metro, site
from tests.support.round_records import SITES, effect, round_record, strands_vote

VIEWER = {"authorization": "Bearer look"}
SITE = {"x-edgemind-site-token": "between-sites"}


@pytest.fixture
def group() -> Metro:
    made = Metro(metro(*(site(name) for name in SITES)))
    for number in range(1, 4):
        for name in SITES:
            made.journals[name].keep(round_record(number, name, coordinator="site-b"))
    made.rounds(1)
    return made


@pytest.fixture
def app(group: Metro) -> Starlette:
    rules = AccessRules({Role.VIEWER: "look"}, "between-sites")
    return controller_app(lambda: group.controllers["site-a"], lambda: rules)


def get(app: Starlette, path: str, headers: dict[str, str] | None = None) -> AsgiAnswer:
    return ask(app, "GET", f"/edgemind/v1{path}", VIEWER if headers is None else headers)


def test_rounds_are_listed_page_by_page_as_their_coordinator_tells_them(app: Starlette) -> None:
    first = get(app, "/rounds?limit=2").json()
    assert [(one["fence"], one["site"], one["coordinator"]) for one in first["rounds"]] == [
        ("1.3", "site-b", "site-b"), ("1.2", "site-b", "site-b"),
    ]  # fmt: skip
    newest = first["rounds"][0]
    expected = {
        "epoch": 1, "n": 3, "outcome": "SHIFT", "target": "site-c", "of": "site-a", "amount": 100, "decided_ms": 31.2,
        "ballots": 3, "voters": 3, "timed_out": False, "breached": "site-a", "model": "llm",
    }  # fmt: skip
    assert newest | expected == newest
    rest = get(app, f"/rounds?limit=2&cursor={first['next_cursor']}").json()
    assert ([one["fence"] for one in rest["rounds"]], rest["next_cursor"]) == (["1.1"], None)
    own = get(app, "/rounds?scope=site").json()
    assert {one["site"] for one in own["rounds"]} == {"site-a"}


def test_one_round_has_every_sites_vote(app: Starlette, group: Metro) -> None:
    acting = round_record(2, "site-c", coordinator="site-b", effects=(effect(round_record(2)),))
    group.journals["site-c"].keep(acting)
    del group.running["site-b"]
    document: dict[str, Any] = get(app, "/rounds/1.2").json()
    assert document["unreachable"] == ["site-b"]
    assert (document["site"], sorted(document["votes"])) == ("site-a", ["site-a", "site-c"])
    assert document["effects"][0]["site"] == "site-c"
    assert parse_record(document).outcome == acting.outcome


def test_another_controller_gets_this_sites_own_record_only(app: Starlette) -> None:
    assert get(app, "/rounds/1.2", SITE).json() == {
        **record_document(round_record(2, "site-a", coordinator="site-b")), "unreachable": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rounds/1.99", 404, "round_not_found"),
        ("/rounds/last", 400, "invalid_fence"),
        ("/rounds?cursor=x", 400, "invalid_cursor"),
        ("/rounds?limit=0", 400, "invalid_parameter"),
        ("/rounds?limit=101", 400, "invalid_parameter"),
        ("/rounds?scope=moon", 400, "invalid_parameter"),
    ],
)
def test_what_cannot_be_answered_says_why(app: Starlette, path: str, status: int, code: str) -> None:
    refused = get(app, path)
    assert (refused.status, refused.error()["code"]) == (status, code)


def test_nobody_reads_rounds_without_a_token(app: Starlette) -> None:
    assert get(app, "/rounds", {}).status == 401
    assert get(app, "/rounds/1.2", {}).status == 401


def test_the_documented_shape_is_that_of_a_record() -> None:
    record = round_record()
    full = round_record(votes={"site-a": strands_vote(record, "site-a")}, effects=(effect(record),))
    document = record_document(full)
    read = RoundShape.model_validate(document)
    assert read.model_extra == {}, "everything in a record is described"
    assert set(document) | {"unreachable"} == set(RoundShape.model_fields)
    assert not read.votes["site-a"].model_extra
    assert not read.votes["site-a"].tool_calls[0].model_extra
    assert "/edgemind/v1/rounds/{fence}" in openapi_document()["paths"]
