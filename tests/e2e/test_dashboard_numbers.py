"""What fifty sites cost the dashboard. Bytes and memory are held; times are printed, for they are this machine's.

`pytest -s tests/e2e/test_dashboard_numbers.py` prints first paint, bytes a refresh, how busy the browser is and memory.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browsing import browsing, page_server
from tests.support.serving import served
from tests.support.simulated_fleet import SimulatedFleet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

SITES, WATCHED_S, REFRESH_S = 50, 20.0, 2.0
REFRESH_BYTES, UI_MB = 150_000, 300


@pytest.fixture(scope="module")
def page_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with (
        served(SimulatedFleet(SITES).app()) as url,
        page_server(tmp_path_factory.mktemp("page"), url, None) as place,
    ):
        yield place


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with browsing() as browser:
        yield browser


@pytest.mark.parametrize("path", ["/operations", "/"])
def test_fifty_sites_are_shown_within_bytes_and_memory(
    browser: "Browser", page_place: tuple[str, int], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url, process = page_place
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    received: list[int] = []
    page.on("websocket", lambda wire: wire.on("framereceived", lambda frame: received.append(len(frame))))
    began_s = time.monotonic()
    page.goto(url + path)
    page.locator(".em-verdict").wait_for()
    if path == "/operations":
        page.locator(".em-sites tbody tr").nth(SITES - 1).wait_for()
        page.locator(".echarts-container canvas, .echarts-container svg").first.wait_for()
    page.locator("canvas, svg.marks").first.wait_for()
    painted_s = time.monotonic() - began_s
    page.wait_for_timeout(5000)
    before, bytes_before = busy_s(page), sum(received)
    page.wait_for_timeout(WATCHED_S * 1000)
    busy = (busy_s(page) - before) / WATCHED_S
    per_refresh = (sum(received) - bytes_before) / (WATCHED_S / REFRESH_S)
    memory_mb = resident_mb(process)
    with capsys.disabled():
        print(
            f"\n{path}: {SITES} simulated sites: first paint {painted_s:.1f} s, {per_refresh / 1000:.0f} KB a refresh, "
            f"browser busy {busy:.0%}, page server {memory_mb:.0f} MB"
        )
    assert 0 < per_refresh < REFRESH_BYTES
    assert memory_mb < UI_MB
    page.close()


def busy_s(page: "Page") -> float:
    """How long the page's main thread has worked, in all."""
    client: Any = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
    client.detach()
    return float(metrics["TaskDuration"])


def resident_mb(process: int) -> float:
    fields = Path(f"/proc/{process}/status").read_text(encoding="ascii").split("VmRSS:")[1].split()
    return int(fields[0]) / 1024
