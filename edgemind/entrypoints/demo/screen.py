"""The live table on a terminal."""

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edgemind.entrypoints.demo.snapshot import SiteRow, Snapshot, milliseconds, reasons
from edgemind.services.demo_report import Event

WIDE = 100
"""Columns from which on there is room for bars and devices."""
BAR_CELLS = 10
_STATE_STYLES = {"alive": "green", "draining": "yellow", "suspected": "red", "gone": "red"}


class LiveTable:
    """`Display` that redraws one table in place; events stay above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # No refreshing thread: the demo forks and measures in this process.
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        self._live.update(table_of(snapshot, self._console.width), refresh=True)

    def event(self, event: Event) -> None:
        self._live.console.print(Text(f"{event.at_s:.0f} s: {event.text}", style="bold"))

    def close(self) -> None:
        self._live.stop()


def table_of(snapshot: Snapshot, width: int) -> RenderableType:
    """The whole picture for a terminal of that width."""
    wide = width >= WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for header in ("site", "state"):
        table.add_column(header, no_wrap=True)
    if wide:
        table.add_column("load", no_wrap=True)
    table.add_column("busy" if not wide else "slots", justify="right", no_wrap=True)
    if wide:
        table.add_column("devices", justify="right", no_wrap=True)
    for header in ("asked", "ran"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("because of", ratio=1)
    table.add_column("table age", justify="right", no_wrap=True)
    for row in snapshot.rows:
        table.add_row(*_cells(row, wide))
    failed = "bold red" if snapshot.failed else "dim"
    counts = Text.assemble(f"ok {snapshot.ok}", f"   shed {snapshot.shed}", (f"   failed {snapshot.failed}", failed))
    return Group(Text(snapshot.title, style="bold"), Text(snapshot.rates), counts, Text(), table)


def _cells(row: SiteRow, wide: bool) -> list[RenderableType]:
    cells: list[RenderableType] = [Text(row.name), Text(row.state, style=_STATE_STYLES.get(row.state, "dim"))]
    if wide:
        cells.append(_bar(row))
    cells.append("" if row.slots is None else f"{row.in_flight}/{row.slots}")
    if wide:
        cells.append(_number(row.devices))
    cells += [_number(row.asked), str(sum(row.ran.values())), Text(reasons(row.ran), style="dim")]
    cells.append("" if row.table_age_ms is None else milliseconds(row.table_age_ms))
    return cells


def _bar(row: SiteRow) -> Text:
    """How many of the slots are busy; requests that wait for one make it red."""
    if row.slots is None or row.in_flight is None:
        return Text("")
    filled = min(BAR_CELLS, round(BAR_CELLS * row.in_flight / max(1, row.slots)))
    style = "red" if row.in_flight > row.slots else "green"
    return Text.assemble(("█" * filled, style), ("░" * (BAR_CELLS - filled), "dim"))


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
