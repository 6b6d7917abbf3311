"""The dashboard in a browser, on a fleet API that serves: it lives, explains, acts, recovers, and asks nobody else."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette

from edgemind.entrypoints.controller.about_routes import AboutRoutes
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from tests.support.browsing import ROOT, Visit, browsing, page_server, visits
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.round_records import round_record
from tests.support.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

TOKEN, OPERATOR = "look", "act"
DECISION = "dec-site-a-0-00c0ffee00c0ffee"
EXPLANATION = json.loads((ROOT / "tests" / "support" / "explanation.json").read_text(encoding="utf-8"))
HOSTILE = "<img src=x onerror=document.title='owned'>"


class RunningFleet:
    """Two sites and somebody else's servers, one of them with a hostile name; time and counters move on by `step`."""

    def __init__(self) -> None:
        self.group = Metro(metro(site("site-a"), site("site-b", "detector", HOSTILE), site("theirs", controller=False)))
        self.group.admins["site-a"].explanations[0, DECISION] = EXPLANATION
        self.group.journals["site-a"].keep(round_record())
        self.requests = 0

    def app(self) -> Starlette:
        rules = AccessRules({Role.VIEWER: TOKEN, Role.OPERATOR: OPERATOR}, "between-sites")
        about = AboutRoutes(lambda: pytest.fail("nobody asks for a configuration here"))
        return controller_app(lambda: self.group.controllers["site-a"], lambda: rules, route_sets=[about])

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


@pytest.fixture(scope="module")
def fleet() -> RunningFleet:
    return RunningFleet()


@pytest.fixture(scope="module")
def fleet_url(fleet: RunningFleet) -> Iterator[str]:
    with served(fleet.app()) as url, moving(fleet):
        yield url


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("status-page") / "viewer.token"
    path.write_text(TOKEN)
    return path


@pytest.fixture(scope="module")
def page_url(fleet_url: str, token_file: Path) -> Iterator[str]:
    with page_server(token_file.parent, fleet_url, token_file) as (url, _):
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., Visit]]:
    with visits(browser) as open_tab:
        yield open_tab


def moves_on(page: "Page") -> None:
    """Waits until the page shows a later moment of the fleet."""
    seen = page.get_by_text(re.compile("seen from site-a at")).inner_text()
    page.wait_for_function("before => !document.body.innerText.includes(before)", arg=seen)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/", ("All 3 sites are in service", "Requests/s", "Incidents")),
        ("/operations", ("Where requests ran", HOSTILE, "Which site serves which model")),
        ("/developer", ("decisions", "Newest first, a sample")),
    ],
)
def test_each_view_shows_the_fleet_and_moves_on_with_it(
    visit: Callable[..., Visit], page_url: str, path: str, parts: tuple[str, ...], scheme: str, width: int
) -> None:
    tab = visit(page_url + path, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = tab.page
    for part in parts:
        page.get_by_text(part).first.wait_for()
    moves_on(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.title() in {"EdgeMind", "Executive", "Operations", "Developer"}
    assert tab.unusable_parts() == []
    assert tab.outside() == []
    assert tab.complaints == []


def test_links_lead_from_view_to_view_without_a_word_on_the_console(visit: Callable[..., Visit], page_url: str) -> None:
    tab = visit(page_url)
    for name, path in (("Operations", "/operations"), ("Developer", "/developer"), ("Executive", "/")):
        tab.page.get_by_role("link", name=name).click()
        tab.page.wait_for_url(page_url + path)
        tab.page.get_by_text("All 3 sites are in service").wait_for()
    assert tab.complaints == []
    assert [url for url in tab.asked if "404" in url] == []


def test_a_decision_is_explained_and_stays_open_while_the_page_moves_on(
    visit: Callable[..., Visit], page_url: str
) -> None:
    tab = visit(page_url + "/developer")
    page = tab.page
    page.locator(f"button[data-id='{DECISION}']").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("fresh reports made another site clearly cheaper").wait_for()
    for said in (DECISION, "runner-up", "✓ chosen", "outside the residency", "report too old to compare", "xr"):
        dialog.get_by_text(said, exact=False).first.wait_for()
    assert page.url.endswith(f"decision={DECISION}")
    moves_on(page)
    assert dialog.is_visible()
    assert tab.unusable_parts() == []
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_function("!location.href.includes('decision=')")
    assert tab.complaints == []
    assert tab.outside() == []


def test_a_round_is_opened_with_its_ballots_and_replays(visit: Callable[..., Visit], page_url: str) -> None:
    page = visit(page_url + "/developer?show=rounds").page
    page.locator("button[data-id='1.3']").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Replays: 5 of 5 agree").wait_for()
    dialog.get_by_text("by 3 of 3 ballots").wait_for()
    assert "round=1.3" in page.url


def test_addresses_can_be_sent_on(visit: Callable[..., Visit], page_url: str) -> None:
    known = visit(f"{page_url}/developer?decision={DECISION}").page
    known.get_by_role("dialog").get_by_text("fresh reports made another site").wait_for()
    gone = visit(f"{page_url}/developer?decision=dec-site-a-0-0000000000000000").page
    gone.get_by_role("dialog").get_by_text("The fleet does not have this").wait_for()
    asked = visit(f"{page_url}/developer?round=1.3").page
    asked.get_by_role("dialog").get_by_text("Replays: 5 of 5 agree").wait_for()
    never = visit(f"{page_url}/operations?round=<b>9").page
    never.get_by_role("dialog").get_by_text("The fleet cannot answer just now").wait_for()


def test_who_may_not_act_is_told_so_and_who_may_drains_a_site(
    visit: Callable[..., Visit], page_url: str, fleet: RunningFleet
) -> None:
    page = visit(page_url + "/operations").page
    drain(page)
    page.get_by_text("The fleet does not allow this").wait_for()
    assert not fleet.group.controllers["site-a"].own.draining
    page.get_by_role("button", name=re.compile("Signed in|Sign in")).click()
    page.get_by_label("Another token of the fleet").fill(OPERATOR)
    page.keyboard.press("Enter")
    page.get_by_text("the token that you gave").wait_for()
    page.keyboard.press("Escape")
    try:
        drain(page)
        page.get_by_text("site-a: drained.").wait_for()
        page.get_by_text("Drained, takes no new requests: site-a").wait_for()
        assert fleet.group.controllers["site-a"].own.draining
    finally:
        fleet.group.controllers["site-a"].drain_own(False)


def drain(page: "Page") -> None:
    page.get_by_role("button", name="Drain or return a site").click()
    page.get_by_role("dialog").wait_for()
    # A click while the dialog is still being made would be lost with it.
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.get_by_role("button", name="Yes, drain it").click()


def test_a_token_that_is_refused_is_told_calmly_and_the_page_recovers_by_itself(
    visit: Callable[..., Visit], page_url: str, token_file: Path
) -> None:
    tab = visit(page_url)
    tab.page.get_by_text("3 sites are in service").wait_for()
    try:
        token_file.write_text("guess")
        tab.page.get_by_text("The fleet does not accept this page's token").wait_for()
    finally:
        token_file.write_text(TOKEN)
    tab.page.get_by_text("3 sites are in service").wait_for()
    tab.page.get_by_text("The fleet does not accept").wait_for(state="detached")
    assert tab.complaints == []


def test_a_fleet_that_stops_leaves_its_last_data_with_their_age(
    visit: Callable[..., Visit], tmp_path: Path, token_file: Path, fleet: RunningFleet
) -> None:
    serving = served(fleet.app())
    with page_server(tmp_path, serving.__enter__(), token_file) as (url, _):
        try:
            tab = visit(url + "/operations")
            tab.page.get_by_text("All 3 sites are in service").wait_for()
        finally:
            serving.__exit__(None, None, None)
        tab.page.get_by_text("The fleet cannot be reached").wait_for()
        tab.page.get_by_text("Nothing is known of the fleet just now").wait_for()
        tab.page.get_by_text(re.compile(r"What is below was read .* ago")).wait_for()
        tab.page.get_by_role("heading", name="Which site serves which model").wait_for()
        assert tab.page.locator("[data-testid=stException]").count() == 0
