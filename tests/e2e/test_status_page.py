"""The status page in a browser, on a fleet API that serves: it lives, explains, recovers, and asks nobody else."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.demo.status_page import status_page_command
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.serving import free_port, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "look"
DECISION = "dec-site-a-0-00c0ffee00c0ffee"
EXPLANATION = json.loads((ROOT / "tests" / "support" / "explanation.json").read_text(encoding="utf-8"))
HOSTILE = "<img src=x onerror=document.title='owned'>"
PATIENCE_MS = 45_000
"""Browsers are slow on a busy machine; nothing waits longer than it has to."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


class RunningFleet:
    """Two sites and somebody else's servers, one of them with a hostile name; time and counters move on by `step`."""

    def __init__(self) -> None:
        self.group = Metro(metro(site("site-a"), site("site-b", "detector", HOSTILE), site("theirs", controller=False)))
        self.group.admins["site-a"].explanations[0, DECISION] = EXPLANATION
        self.requests = 0

    def step(self) -> None:
        self.requests += 10
        self.group.clock.advance(0.5)
        for name, controller in self.group.controllers.items():
            stats = {
                "requests": self.requests, "ok": self.requests, "requests_per_s": 5.0, "added_ms_p50": 1.5,
                "added_ms_p99": 20.0, "by_site": {name: self.requests}, "by_reason": {"table": self.requests},
            }  # fmt: skip
            made = [decision_document(DECISION, 1_767_225_600_123)] if name == "site-a" else []
            controller.gateways.answer(report(name, stats=stats, decisions=made))
        self.group.rounds(1)


@contextmanager
def moving(fleet: RunningFleet) -> Iterator[None]:
    """The fleet goes on by itself for as long as this lasts; in a thread, for Playwright has this one's event loop."""
    over = threading.Event()

    def move() -> None:
        fleet.step()
        while not over.wait(0.5):
            fleet.step()

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(slots=True)
class Visit:
    """A browser tab, and what it asked for and complained about."""

    page: "Page"
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def outside(self) -> list[str]:
        """Requests to anybody but the page's own server."""
        return [url for url in self.asked if urlsplit(url).hostname not in {None, "127.0.0.1"}]


@pytest.fixture(scope="module")
def fleet_url() -> Iterator[str]:
    fleet = RunningFleet()
    rules = AccessRules({Role.VIEWER: TOKEN}, "between-sites")
    with served(controller_app(lambda: fleet.group.controllers["site-a"], lambda: rules)) as url, moving(fleet):
        yield url


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("status-page") / "viewer.token"
    path.write_text(TOKEN)
    return path


@pytest.fixture(scope="module")
def page_url(fleet_url: str, token_file: Path) -> Iterator[str]:
    port = free_port()
    command = status_page_command(ROOT / "dashboard" / "main.py", port)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGEMIND_")}
    with (token_file.parent / "page.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--", "--fleet", fleet_url, "--token-file", str(token_file)],
            cwd=token_file.parent, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or process.poll() is not None)
            assert process.poll() is None, (token_file.parent / "page.log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if CHROMIUM is None:
        # A browser is no package of ours: no lock can bring it.
        pytest.skip("platform: no Chromium on this machine; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: it comes with the dev extra")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., Visit]]:
    contexts = []

    def open_tab(url: str, **options: Any) -> Visit:
        context = browser.new_context(timezone_id="Europe/Berlin", **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        tab = Visit(context.new_page())
        tab.watch()
        tab.page.goto(url)
        return tab

    yield open_tab
    for context in contexts:
        context.close()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(there: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + PATIENCE_MS / 1000
    while not there():
        assert time.monotonic() < give_up_s, "the status page does not come up"
        time.sleep(0.1)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_shows_the_fleet_and_moves_on_with_it(
    visit: Callable[..., Visit], page_url: str, scheme: str, width: int
) -> None:
    tab = visit(page_url, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = tab.page
    page.get_by_text("2 alive").wait_for()
    page.get_by_text(HOSTILE).first.wait_for()
    page.get_by_role("heading", name="Where requests ran").wait_for()
    seen = page.get_by_text(re.compile("seen from site-a at")).inner_text()
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=seen)
    page.locator("canvas, svg.marks").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.title() == "EdgeMind"
    assert tab.outside() == []
    assert tab.complaints == []


def test_a_decision_is_explained_and_stays_open_while_the_page_moves_on(
    visit: Callable[..., Visit], page_url: str
) -> None:
    tab = visit(page_url)
    page = tab.page
    page.locator(f"button[data-id='{DECISION}']").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("fresh reports made another site clearly cheaper").wait_for()
    for said in (DECISION, "runner-up", "✓ chosen", "outside the residency", "report too old to compare", "xr"):
        dialog.get_by_text(said, exact=False).first.wait_for()
    assert page.url.endswith(f"?decision={DECISION}")
    seen = page.get_by_text(re.compile("seen from site-a at")).inner_text()
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=seen)
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_url(page_url + "/")
    assert tab.complaints == []
    assert tab.outside() == []


def test_the_address_of_an_explanation_can_be_sent_on(visit: Callable[..., Visit], page_url: str) -> None:
    known = visit(f"{page_url}/?decision={DECISION}").page
    known.get_by_role("dialog").get_by_text("fresh reports made another site").wait_for()
    gone = visit(f"{page_url}/?decision=dec-site-a-0-0000000000000000").page
    gone.get_by_role("dialog").get_by_text("The fleet does not have this").wait_for()


def test_a_token_that_is_refused_is_told_calmly_and_the_page_recovers_by_itself(
    visit: Callable[..., Visit], page_url: str, token_file: Path
) -> None:
    tab = visit(page_url)
    tab.page.get_by_text("2 alive").wait_for()
    try:
        token_file.write_text("guess")
        tab.page.get_by_text("The fleet does not accept this page's token").wait_for()
    finally:
        token_file.write_text(TOKEN)
    tab.page.get_by_text("2 alive").wait_for()
    tab.page.get_by_text("The fleet does not accept").wait_for(state="detached")
    assert tab.complaints == []
