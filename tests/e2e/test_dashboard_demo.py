"""The dashboard as `./run demo` opens it: scenarios started from it really drive the traffic and the faults."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browsing import Visit, answers, browsing, until, visits
from tests.support.demo_runs import SERVING, DemoRun, demo_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    with demo_run(tmp_path_factory.mktemp("demo"), "--backend", "simulated", page=True) as run:
        run.until(SERVING)
        yield run


@pytest.fixture(scope="module")
def tab(demo: DemoRun) -> Iterator[Visit]:
    page_url = f"http://127.0.0.1:{demo.base_port + 500}"
    until(lambda: answers(f"{page_url}/_stcore/health"))
    with browsing() as browser, visits(browser) as open_tab:
        yield open_tab(page_url + "/operations", viewport={"width": 1280, "height": 900})


def play(page: "Page", scenario: str) -> None:
    page.get_by_role("combobox", name=re.compile("Scenario")).click()
    page.get_by_role("option", name=scenario, exact=True).click()
    page.get_by_role("button", name="Start it").click()
    page.get_by_text(f"Demo traffic: {scenario}").wait_for()


def test_a_scenario_from_the_page_breaks_a_site_and_ending_it_mends_it(demo: DemoRun, tab: Visit) -> None:
    page = tab.page
    page.get_by_text("All 3 sites are in service").wait_for()
    page.get_by_text("Demo traffic: normal").wait_for()
    play(page, "site-failure")
    demo.until("killed site-b")
    page.get_by_text("1 of 3 sites does not answer: site-b").first.wait_for()
    page.get_by_role("button", name="Back to normal").click()
    demo.until("site-b starts again (3 processes)")
    page.get_by_text("All 3 sites are in service").wait_for()
    assert tab.complaints == []
    assert tab.outside() == []


def test_demand_rises_on_the_page_when_a_crowd_comes(tab: Visit) -> None:
    page = tab.page
    play(page, "flash-crowd")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.em-sites td[data-label=\"Requests/s\"] .em-beside')]"
        ".some(cell => Number(cell.textContent.replace(',', '')) > 80)"
    )
    page.get_by_role("link", name="Developer").click()
    page.locator("button[data-id^='dec-']").first.click()
    page.get_by_role("dialog").get_by_text("Who could have taken it").wait_for()
    page.get_by_role("dialog").get_by_text("chosen").first.wait_for()


def test_orders_need_the_token_of_this_run_and_a_scenario_that_there_is(demo: DemoRun) -> None:
    control = note(demo.folder)["control"]
    assert ask(control["url"], "guess")[0] == 401
    assert ask(control["url"], "guess", b'{"name": "normal"}')[0] == 401
    status, told = ask(control["url"], control["token"], b'{"name": "earthquake"}')
    assert (status, "there are: normal, flash-crowd" in told["error"]["message"]) == (409, True)
    for odd in (b"", b"[]", b'{"name": 5}', b"x" * 10_000):
        assert ask(control["url"], control["token"], odd)[0] == 400
    status, told = ask(control["url"], control["token"])
    assert status == 200
    assert {"normal", "site-failure"} <= {one["name"] for one in told["scenarios"]}


def note(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / ".edgemind" / "fleet.json").read_text(encoding="utf-8"))
    return document


def ask(url: str, token: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        f"{url}/edgemind/v1/scenarios", data=body, headers={"authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())
