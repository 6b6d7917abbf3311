"""The controller's routes over ASGI: access, shapes, refusals; and the OpenAPI document in docs/."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from edgemind.domain.beacons import Beacon, beacon_document, parse_beacon
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app, openapi_document
from edgemind.entrypoints.controller.explanation import DecisionExplanation
from tests.support.asgi import AsgiAnswer, ask
from tests.support.controllers import Metro, decision_document, metro, report, report_document, site

ROOT = Path(__file__).parents[4]
DECISION = "dec-site-a-0-0123456789abcdef"
SITE = {"x-edgemind-site-token": "between-sites"}
VIEWER = {"authorization": "Bearer look"}
OPERATOR = {"authorization": "Bearer act"}


@dataclass
class Api:
    group: Metro
    app: Starlette

    def get(self, path: str, headers: dict[str, str] | None = None) -> AsgiAnswer:
        return ask(self.app, "GET", f"/edgemind/v1{path}", VIEWER if headers is None else headers)

    def post(self, path: str, headers: dict[str, str] | None = None, body: object = None) -> AsgiAnswer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return ask(self.app, "POST", f"/edgemind/v1{path}", OPERATOR if headers is None else headers, raw)


@pytest.fixture
def api() -> Api:
    group = Metro(metro(site("site-a"), site("site-b"), site("theirs", controller=False)))
    for name, controller in group.controllers.items():
        controller.gateways.answer(report(name))
    group.rounds(2)
    rules = AccessRules({Role.VIEWER: "look", Role.OPERATOR: "act"}, "between-sites")
    return Api(group, controller_app(lambda: group.controllers["site-a"], lambda: rules))


READS = ["/fleet", "/sites", "/sites/site-a", "/sites/site-b", "/models", "/table", "/decisions", "/rounds"]


@pytest.mark.parametrize("path", READS)
def test_a_viewer_reads_and_nobody_else_does(api: Api, path: str) -> None:
    assert api.get(path).status == 200
    refused = api.get(path, headers={})
    assert refused.status == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.error()["type"] == "authentication_error"


def test_healthz_and_the_openapi_document_need_no_token(api: Api) -> None:
    at_ms = api.group.clock.wall_ms()
    assert api.get("/healthz", headers={}).json() == {"status": "ok", "site": "site-a", "at_ms": at_ms}
    assert ask(api.app, "GET", "/healthz").status == 200
    assert api.get("/openapi.json", headers={}).status == 200


def test_no_page_of_another_origin_may_read(api: Api) -> None:
    answer = api.get("/fleet", headers={**VIEWER, "origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_fleet_has_the_documented_shape(api: Api) -> None:
    fleet = api.get("/fleet").json()
    assert (fleet["metro"], fleet["asked"]) == ("test", "site-a")
    assert [(one["name"], one["state"]) for one in fleet["sites"]] == [
        ("site-a", "alive"), ("site-b", "alive"), ("theirs", "declared")
    ]  # fmt: skip
    assert fleet["sites"][0]["gateway"]["counters"]["requests"] == 0


def test_a_site_that_is_not_there_is_told_with_those_that_are(api: Api) -> None:
    refused = api.get("/sites/site-z")
    assert refused.status == 404
    assert "site-a, site-b, theirs" in refused.error()["message"]


def test_there_is_no_table_before_the_neighbours_are_heard(api: Api) -> None:
    api.group.controllers["site-a"].tables.latest = None
    assert api.get("/table").error()["code"] == "no_table_yet"


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("limit=501", "limit"), ("scope=x", "scope"), ("cursor=x", "cursor")],
)
def test_wrong_parameters_are_named(api: Api, query: str, param: str) -> None:
    refused = api.get(f"/decisions?{query}")
    assert (refused.status, refused.error()["param"]) == (400, param)


def test_decisions_are_paged(api: Api) -> None:
    made = [decision_document(f"dec-site-a-0-{k:016x}", k) for k in range(3)]
    api.group.controllers["site-a"].gateways.answer(report("site-a", decisions=made))
    first = api.get("/decisions?limit=2").json()
    second = api.get(f"/decisions?limit=2&cursor={first['next_cursor']}").json()
    assert [one["at_ms"] for one in first["decisions"] + second["decisions"]] == [2, 1, 0]
    assert second["next_cursor"] is None


def test_an_explanation_is_passed_on_whole(api: Api) -> None:
    told = {"id": DECISION, "from_a_newer_gateway": True}
    api.group.admins["site-a"].explanations[0, DECISION] = told
    assert api.get(f"/decisions/{DECISION}").json() == told


def test_a_decision_that_is_not_kept_or_cannot_be_asked_for(api: Api) -> None:
    assert api.get(f"/decisions/{DECISION}").error()["code"] == "decision_not_found"
    api.group.admins["site-a"].explanations[0, DECISION] = None
    refused = api.get(f"/decisions/{DECISION}")
    assert (refused.status, refused.error()["code"]) == (502, "site_unreachable")


@pytest.mark.parametrize("name", ["site-a", "site-b"])
def test_an_operator_drains_any_site_from_here(api: Api, name: str) -> None:
    assert api.post(f"/sites/{name}/drain", VIEWER).error()["code"] == "role_too_low"
    assert api.post(f"/sites/{name}/drain").json() == {"site": name, "draining": True}
    assert api.group.controllers[name].own.drain_requested
    assert api.post(f"/sites/{name}/undrain").json() == {"site": name, "draining": False}
    assert not api.group.controllers[name].own.drain_requested


def test_a_drain_that_reaches_nobody_says_why(api: Api) -> None:
    assert api.post("/sites/theirs/drain").error()["code"] == "no_controller"
    assert api.post("/sites/site-z/drain").status == 404
    del api.group.running["site-b"]
    refused = api.post("/sites/site-b/drain")
    assert (refused.status, refused.error()["code"]) == (502, "site_unreachable")


def test_another_controller_gets_answers_about_this_site_only(api: Api) -> None:
    assert api.get("/sites/site-a", SITE).json()["name"] == "site-a"
    assert api.get("/sites/site-b", SITE).error()["code"] == "wrong_site"
    assert api.post("/sites/site-b/drain", SITE).error()["code"] == "wrong_site"
    assert api.post("/sites/site-a/drain", SITE).status == 200
    assert api.get("/decisions/dec-site-b-0-0123456789abcdef", SITE).status == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/fleet"), ("GET", "/beacons")])
def test_what_is_not_there_is_refused_in_the_same_shape(api: Api, method: str, path: str) -> None:
    answer = ask(api.app, method, f"/edgemind/v1{path}", VIEWER)
    assert answer.status in {404, 405}
    if path != "/beacons":
        assert "openapi.json" in answer.error()["message"]


# What gateways and controllers post


def test_a_worker_syncs(api: Api) -> None:
    answer = api.post("/gateways/sync", SITE, report_document("site-a"))
    assert answer.status == 200
    assert set(answer.json()) == {"v", "table", "beacons", "local", "drain", "workers", "joined"}


def test_a_controller_exchanges_beacons(api: Api) -> None:
    answer = api.post("/beacons", SITE, beacon_document(Beacon("site-b", 10**15, 1)))
    assert parse_beacon(answer.json()).site == "site-a"


@pytest.mark.parametrize("path", ["/gateways/sync", "/beacons"])
@pytest.mark.parametrize("headers", [{}, VIEWER, OPERATOR, {"x-edgemind-site-token": "wrong"}])
def test_only_the_site_token_opens_what_sites_post(api: Api, path: str, headers: dict[str, str]) -> None:
    assert api.post(path, headers, report_document("site-a")).error()["code"] == "invalid_site_token"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/gateways/sync", b"{", 400, "invalid_json"),
        ("/gateways/sync", b"\xff\x00", 400, "invalid_json"),
        ("/gateways/sync", b"[]", 400, "invalid_document"),
        ("/gateways/sync", report_document("site-b"), 409, "wrong_site"),
        ("/beacons", b"", 400, "invalid_json"),
        ("/beacons", {"v": 1}, 400, "invalid_document"),
        ("/beacons", beacon_document(Beacon("site-z", 1, 1)), 409, "wrong_site"),
        ("/beacons", b" " * (1024 * 1024 + 1), 413, "body_too_large"),
    ],
)
def test_what_cannot_be_read_is_refused(api: Api, path: str, body: Any, status: int, code: str) -> None:
    refused = api.post(path, SITE, body)
    assert (refused.status, refused.error()["code"]) == (status, code)


# The document


def test_the_openapi_document_in_docs_is_fresh() -> None:
    fresh = openapi_document()
    kept = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    # Its version moves with every release; the shapes are what callers depend on.
    fresh["info"].pop("version")
    kept["info"].pop("version")
    assert kept == fresh, "run: python -m edgemind.entrypoints.controller.openapi docs/openapi.json"


def test_the_example_of_an_explanation_fits_its_schema() -> None:
    example = json.loads((ROOT / "tests" / "support" / "explanation.json").read_text(encoding="utf-8"))
    DecisionExplanation.model_validate(example)
