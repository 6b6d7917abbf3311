"""A real browser on a real page server: tabs that note what they asked for and complained about."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from edgemind.entrypoints.dashboard_command import dashboard_command
from tests.support.serving import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 45_000
"""Browsers are slow on a busy machine; nothing waits longer than it has to."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SERIOUS = frozenset({"serious", "critical"})


@dataclass(slots=True)
class Visit:
    """A browser tab, and what it asked for and complained about."""

    page: "Page"
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        # Playwright keeps a mark on the object of a bound method, and this one has no room for it.
        self.page.on("console", lambda message: self._said(message))  # noqa: PLW0108

    def outside(self) -> list[str]:
        """Requests to anybody but the page's own server."""
        return [url for url in self.asked if urlsplit(url).hostname not in {None, "127.0.0.1"}]

    def unusable_parts(self) -> list[str]:
        """What axe-core finds serious in what is ours: `rule: element`. Streamlit's own frame is Streamlit's."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe here: the dev extra has it")
        found = axe.Axe().run(self.page, context={"include": [[".stMainBlockContainer"]]}).response["violations"]
        return [
            f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]

    def _said(self, message: Any) -> None:
        # Opened below a path, Streamlit looks for its own files there first, and finds them at the root then.
        probing = "/_stcore/" in str(message.location.get("url", ""))
        if message.type == "error" and not probing:
            self.complaints.append(message.text)


@contextmanager
def browsing() -> Iterator["Browser"]:
    """Skips the test where there is no browser."""
    if CHROMIUM is None:
        # A browser is no package of ours: no lock can bring it.
        pytest.skip("platform: no Chromium on this machine; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: it comes with the dev extra")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def visits(browser: "Browser") -> Iterator[Callable[..., Visit]]:
    """Opens tabs, each with a profile of its own."""
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


@contextmanager
def page_server(
    folder: Path, fleet_url: str | None, token_file: Path | None, people_file: Path | None = None, port: int = 0
) -> Iterator[tuple[str, int]]:
    """The dashboard as its command starts it, in `folder`: its address and its process."""
    port = port or free_port()
    command = dashboard_command("127.0.0.1", port, fleet_url, token_file, people_file)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGEMIND_")}
    log = folder / "page.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=output, stderr=output
        )
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(there: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + PATIENCE_MS / 1000
    while not there():
        assert time.monotonic() < give_up_s, "the dashboard does not come up"
        time.sleep(0.1)
