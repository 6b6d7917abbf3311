"""The loop of `edgemind top`: one thread asks the fleet, the other draws what was told last, whatever became of it."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import click

from edgemind.entrypoints.exit_codes import Refused
from edgemind.entrypoints.operations.lines import BAD, DIM, GOOD, HEAD, WARN, Line, as_text
from edgemind.entrypoints.operations.top_view import Told, old_after_s, picture

if TYPE_CHECKING:
    from rich.text import Text

    from edgemind.entrypoints.fleet_client import FleetClient

DRAW_S = 0.5
_STYLES = {GOOD: "green", WARN: "yellow", BAD: "bold red", DIM: "dim", HEAD: "bold"}


class Screen(Protocol):
    def draw(self, lines: list[Line]) -> None: ...

    def close(self) -> None: ...


def ask(client: "FleetClient") -> Told:
    """Everything at once. Raises Refused if the fleet itself cannot be had; the rest may be missing in an older one."""
    fleet = client.get("fleet")
    return Told(
        fleet=fleet,
        kpis=_optional(lambda: client.get("kpis")),
        alerts=_optional(lambda: client.get("alerts")),
        rounds=_optional(lambda: client.get("rounds", limit=5)),
        age_s=0.0,
    )


class Watching:
    """Asks every `interval_s` in a thread of its own, and keeps the last answer when there is no new one."""

    def __init__(self, client: "FleetClient", interval_s: float) -> None:
        self._client = client
        self._interval_s = interval_s
        self._told, self._at_s = Told(), 0.0
        self._lock = threading.Lock()
        self._over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def now(self) -> Told:
        with self._lock:
            age_s = time.monotonic() - self._at_s if self._told.fleet is not None else None
            return replace(self._told, age_s=age_s)

    def stop(self) -> None:
        """A request under way ends by itself: the thread does not keep the process."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            began_s = time.monotonic()
            try:
                told = ask(self._client)
                at_s = began_s
            except Exception as exc:  # noqa: BLE001 - a fleet that answers nonsense must not end the picture
                message = exc.message if isinstance(exc, Refused) else f"{type(exc).__name__} in its answer"
                with self._lock:
                    told, at_s = replace(self._told, trouble=message), self._at_s
            with self._lock:
                self._told, self._at_s = told, at_s
            self._over.wait(max(0.1, self._interval_s - (time.monotonic() - began_s)))


def watch(client: "FleetClient", interval_s: float) -> None:
    """Until Ctrl-C."""
    watching, screen = Watching(client, interval_s), _screen()
    try:
        while True:
            size = shutil.get_terminal_size()
            drawn = _safely(watching.now(), client.url, size.columns, size.lines - 1, old_after_s(interval_s))
            screen.draw(drawn)
            time.sleep(DRAW_S)
    except KeyboardInterrupt:
        return
    finally:
        watching.stop()
        screen.close()


def _safely(told: Told, url: str, width: int, height: int, too_old_s: float) -> list[Line]:
    """What is told may be of any shape: a picture that cannot be drawn says so."""
    try:
        return picture(told, url, width, height, too_old_s)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        trouble = f"its answer cannot be shown ({type(exc).__name__}): is it of another version?"
        return picture(Told(trouble=trouble), url, width, height)


def _optional(get: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return get()
    except Refused:
        return None


def _screen() -> Screen:
    return RichScreen() if find_spec("rich") is not None and sys.stdout.isatty() else PlainScreen()


class PlainScreen:
    """Draws by clearing; into a file or pipe, one picture after the other."""

    def draw(self, lines: list[Line]) -> None:
        click.clear()
        click.echo(as_text(lines))

    def close(self) -> None:
        """Nothing was changed."""


class RichScreen:
    """Redraws in place, with colours, on a screen of its own that is gone afterwards."""

    def __init__(self) -> None:
        # Imported here: rich is in the extra `demo` only.
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(), auto_refresh=False, screen=True)
        self._live.start()

    def draw(self, lines: list[Line]) -> None:
        self._live.update(rich_text(lines), refresh=True)

    def close(self) -> None:
        self._live.stop()


def rich_text(lines: list[Line]) -> "Text":
    """As text and not as markup: what stands in brackets is shown, not obeyed."""
    from rich.text import Text

    parts = [Text.assemble(*((span.text, _STYLES.get(span.style, "")) for span in line)) for line in lines]
    return Text("\n").join(parts)
