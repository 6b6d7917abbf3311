"""The page without a browser: what it shows of a fleet that is fine, empty, closed or not there."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.round_records import effect, round_record
from tests.support.serving import free_port, served

testing = pytest.importorskip("streamlit.testing.v1", reason="no streamlit here: it comes with the demo extra")

MAIN = Path(__file__).parents[3] / "dashboard" / "main.py"
DECISION = "dec-site-a-0-0123456789abcdef"


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


def shown(monkeypatch: pytest.MonkeyPatch, url: str, token: str | None, folder: Path) -> str:
    """Everything that the page says."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(MAIN)])
    for name, value in (("URL", url), ("TOKEN", token or "")):
        monkeypatch.setenv(f"EDGEMIND_FLEET_{name}", value)
    page = testing.AppTest.from_file(str(MAIN), default_timeout=30).run()
    assert not page.exception
    parts = [*page.title, *page.subheader, *page.markdown, *page.text, *page.caption, *page.info, *page.get("html")]
    return "\n".join(str(getattr(part, "value", "") or part.proto.body) for part in parts)


def test_a_fleet_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fleet_url: str) -> None:
    said = shown(monkeypatch, fleet_url, "look", tmp_path)
    for part in (
        "metro test, seen from site-a",
        "Requests/s",
        "site-b",
        "Slots in use",
        "Recent decisions",
        "Rounds",
        "31.2 ms",
    ):
        assert part in said


def test_no_fleet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = shown(monkeypatch, "", None, tmp_path)
    assert "No fleet is known here yet" in said
    assert "goes on by itself" in said


def test_nobody_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "The fleet cannot be reached" in shown(monkeypatch, f"http://127.0.0.1:{free_port()}", "look", tmp_path)


def test_a_wrong_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fleet_url: str) -> None:
    assert "does not accept this page's token" in shown(monkeypatch, fleet_url, "guess", tmp_path)


def test_a_fleet_without_sites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def empty(request: Request) -> JSONResponse:
        fleet = {"metro": "test", "asked": "site-a", "at_ms": 1, "requests_per_s": 0, "sites": []}
        return JSONResponse(fleet if request.url.path.endswith("/fleet") else {"decisions": [], "rounds": []})

    with served(Starlette(routes=[Route("/{path:path}", empty)])) as url:
        assert "This fleet has no site yet" in shown(monkeypatch, url, None, tmp_path)
