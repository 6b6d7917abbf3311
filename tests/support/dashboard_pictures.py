"""`python -m tests.support.dashboard_pictures [FOLDER]`: the pictures of docs/images, from a demo that runs for them.

A demo with simulated models, its dashboard, a flash crowd and then a site that fails, both started from the page.
"""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.support.browsing import ROOT, Visit, answers, browsing, until, visits
from tests.support.demo_runs import SERVING, demo_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def main(folder: Path) -> None:
    with TemporaryDirectory() as place, demo_run(Path(place), "--backend", "simulated", page=True) as demo:
        demo.until(SERVING)
        url = f"http://127.0.0.1:{demo.base_port + 500}"
        until(lambda: answers(f"{url}/_stcore/health"))
        with browsing() as browser, visits(browser) as open_tab:
            take(open_tab, url, folder)


def take(open_tab: Callable[..., Visit], url: str, folder: Path) -> None:
    operations = open_tab(url + "/operations", viewport=WIDE).page
    operations.get_by_text("sites are in service").wait_for()
    # What is shown of a minute has to have been one.
    time.sleep(60)
    play(operations, "flash-crowd")
    time.sleep(45)
    shoot(operations, folder / "dashboard-operations.png", 1150)
    developer = open_tab(url + "/developer?show=rounds", viewport=WIDE).page
    developer.locator("button[data-id]").first.click()
    developer.get_by_role("dialog").get_by_text("Replays:").wait_for()
    shoot(developer, folder / "dashboard-round.png", 1150)
    decisions = open_tab(url + "/developer", viewport=WIDE).page
    decisions.locator("button[data-id^='dec-']").nth(3).click()
    decisions.get_by_role("dialog").get_by_text("Who could have taken it").wait_for()
    shoot(decisions, folder / "dashboard-decision.png", 900)
    dark = open_tab(url, viewport=WIDE, color_scheme="dark").page
    shoot(dark, folder / "dashboard-executive.png", 900)
    play(operations, "site-failure")
    operations.get_by_text("does not answer: site-b").first.wait_for(timeout=60_000)
    time.sleep(12)
    shoot(operations, folder / "dashboard-trouble.png", 900)
    narrow = open_tab(url, viewport=NARROW).page
    shoot(narrow, folder / "dashboard-narrow.png", 844)


def play(page: "Page", scenario: str) -> None:
    page.get_by_role("combobox", name=re.compile("Scenario")).click()
    page.get_by_role("option", name=scenario, exact=True).click()
    page.get_by_role("button", name="Start it").click()
    page.get_by_text(f"Demo traffic: {scenario}").wait_for()


def shoot(page: "Page", path: Path, tall: int) -> None:
    """As much of the page as is `tall`; after a moment, for charts are drawn in one."""
    page.locator(".em-verdict").wait_for()
    page.set_viewport_size({"width": page.viewport_size["width"] if page.viewport_size else 1280, "height": tall})
    page.mouse.move(0, 0)
    time.sleep(5)
    page.screenshot(path=path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
