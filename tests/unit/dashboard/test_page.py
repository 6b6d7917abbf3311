"""The views without a browser: what they show of a fleet that is fine, empty, closed, in trouble or not there."""

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.round_records import effect, round_record
from tests.support.serving import free_port, served
from tests.unit.dashboard import fleets

testing = pytest.importorskip("streamlit.testing.v1", reason="no streamlit here: it comes with the demo extra")

MAIN = Path(__file__).parents[3] / "dashboard" / "main.py"
DECISION = "dec-site-a-0-0123456789abcdef"
HOSTILE = "<script>alert(1)</script>[x](javascript:alert(1))"
VIEWS = (
    "executive",
    pytest.param("operations", marks=pytest.mark.slow),
    pytest.param("developer", marks=pytest.mark.slow),
)


@pytest.fixture(scope="module")
def fleet_url() -> Iterator[str]:
    group = Metro(metro(site("site-a"), site("site-b")))
    for name, controller in group.controllers.items():
        made = [decision_document(DECISION, 1_767_225_600_123)] if name == "site-a" else []
        controller.gateways.answer(report(name, decisions=made))
    record = round_record()
    group.journals["site-a"].keep(replace(record, effects=(effect(record, "failed", "no slot is free"),)))
    group.rounds(2)
    rules = AccessRules({Role.VIEWER: "look"}, "between-sites")
    with served(controller_app(lambda: group.controllers["site-a"], lambda: rules)) as url:
        yield url


def shown(monkeypatch: pytest.MonkeyPatch, url: str, token: str | None, folder: Path, view: str = "executive") -> str:
    """Everything that the page says."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(MAIN)])
    for name, value in (("URL", url), ("TOKEN", token or "")):
        monkeypatch.setenv(f"EDGEMIND_FLEET_{name}", value)
    if view == "executive":
        page = testing.AppTest.from_file(str(MAIN), default_timeout=30).run()
    else:
        script = f"from dashboard.views import {view}, session\n{view}.show(session.session_of([]))"
        page = testing.AppTest.from_string(script, default_timeout=30).run()
    assert not page.exception
    read_as_markdown = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.info, *page.warning]
    formatted = "\n".join(str(part.value) for part in read_as_markdown)
    html = "\n".join(str(part.proto.body) for part in page.get("html"))
    # Names of the fleet may be hostile: here they would be read as more than text.
    assert "alert(1)" not in formatted
    assert "<script" not in html
    return "\n".join([formatted, html, *(str(part.value) for part in page.text)])


def answering(documents: Mapping[str, Any], broken: Collection[str] = ()) -> Starlette:
    """A fleet API that says these documents by the last part of the path, and does not know any other."""

    async def answer(request: Request) -> JSONResponse:
        name = request.url.path.rpartition("/")[2]
        if name in broken:
            return JSONResponse({"error": {"code": "internal", "message": "the disk is full"}}, 500)
        if name in documents:
            return JSONResponse(documents[name])
        return JSONResponse({"error": {"code": "not_found", "message": "no such path"}}, 404)

    return Starlette(routes=[Route("/{path:path}", answer)])


def document(value: object) -> Any:
    return json.loads(TypeAdapter(type(value)).dump_json(value))


@pytest.mark.parametrize(
    ("view", "parts"),
    [
        ("executive", ("metro test, seen from site-a", "All 2 sites are in service", "does not tell KPIs")),
        ("operations", ("site-b", "Slots in use", "Which site serves which model", "No site says where it is")),
        ("developer", ("Newest first", "All 2 sites are in service")),
    ],
)
def test_a_fleet_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fleet_url: str, view: str, parts: tuple[str, ...]
) -> None:
    said = shown(monkeypatch, fleet_url, "look", tmp_path, view)
    for part in parts:
        assert part in said


def test_no_fleet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = shown(monkeypatch, "", None, tmp_path)
    assert "No fleet is known here yet" in said
    assert "goes on by itself" in said


@pytest.mark.parametrize("view", VIEWS)
def test_nobody_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, view: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert "The fleet cannot be reached" in shown(monkeypatch, url, "look", tmp_path, view)


def test_a_wrong_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fleet_url: str) -> None:
    assert "does not accept this page's token" in shown(monkeypatch, fleet_url, "guess", tmp_path)


def test_a_fleet_without_sites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with served(answering({"fleet": document(fleets.fleet())})) as url:
        assert "This fleet has no site yet" in shown(monkeypatch, url, None, tmp_path)


def test_without_its_alerts_and_kpis_a_fleet_is_not_called_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    documents = {"fleet": document(fleets.fleet(fleets.site("site-a")))}
    with served(answering(documents, broken=("alerts", "kpis"))) as url:
        said = shown(monkeypatch, url, None, tmp_path)
    assert "Just now nobody can read alerts, KPIs" in said
    assert "All well" not in said
    with served(answering(documents)) as url:
        assert "All well" in shown(monkeypatch, url, None, tmp_path), "a fleet of a version without them"


@pytest.mark.parametrize("view", VIEWS)
def test_a_bad_day_with_everything_hostile_is_told_and_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, view: str
) -> None:
    with served(answering(fleets.bad_day(HOSTILE))) as url:
        said = shown(monkeypatch, url, None, tmp_path, view)
    assert "25 of 50 sites do not answer" in said
    assert "The clock of" in said
