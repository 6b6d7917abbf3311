"""The live table on a terminal."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edgemind.entrypoints.demo.snapshot import SiteRow, Snapshot, milliseconds
from edgemind.services.demo_report import Event

WIDE = 120
"""Columns from which on there is room for everything; below it the most telling columns stay."""
BAR_CELLS = 10
_STATE_STYLES = {"alive": "green", "draining": "yellow", "suspected": "red", "gone": "red"}


class LiveTable:
    """`Display` that redraws one table in place; events scroll by above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # No thread that refreshes: what is measured here should not wait for a drawing.
        self._live = Live(console=console, auto_refresh=False)
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
    reasons = _reasons(snapshot.rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2 if wide else 1, 0, 0), header_style="dim")
    table.add_column("site", no_wrap=True)
    table.add_column("state", no_wrap=True)
    if wide:
        table.add_column("load", no_wrap=True)
    for header in ("busy", *(("devices", "sent") if wide else ()), "ran", *reasons, "table age" if wide else "age"):
        table.add_column(header, justify="right", no_wrap=True)
    for row in snapshot.rows:
        table.add_row(*_cells(row, reasons, wide))
    failed = "bold red" if snapshot.failed else ""
    counts = Text.assemble(f"ok {snapshot.ok}, shed {snapshot.shed}, ", (f"failed {snapshot.failed}", failed))
    legend = Text("busy: requests of slots; ran: answers, by reason; age: of the routing table", style="dim")
    above = [Text(snapshot.title, style="bold"), Text(snapshot.rates), counts]
    if snapshot.swarm:
        # One line, whatever the width: the picture must not jump.
        above.append(Text(snapshot.swarm, style="cyan", no_wrap=True, overflow="ellipsis"))
    return Group(*above, Text(), table, legend)


def _reasons(rows: Sequence[SiteRow]) -> list[str]:
    """Every reason that occurred, the most frequent first."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row.ran)
    return [reason for reason, _ in total.most_common()]


def _cells(row: SiteRow, reasons: Sequence[str], wide: bool) -> list[RenderableType]:
    cells: list[RenderableType] = [Text(row.name), Text(row.state, style=_STATE_STYLES.get(row.state, "dim"))]
    if wide:
        cells.append(_bar(row))
    cells.append("" if row.slots is None else f"{row.in_flight}/{row.slots}")
    if wide:
        cells += [_number(row.devices), _number(row.sent)]
    cells.append(str(sum(row.ran.values())))
    cells += [Text(_number(row.ran.get(reason)), style="dim") for reason in reasons]
    cells.append("" if row.table_age_ms is None else milliseconds(row.table_age_ms))
    return cells


def _bar(row: SiteRow) -> Text:
    """How many of the slots are busy; red when requests wait for one."""
    if row.slots is None or row.in_flight is None:
        return Text("")
    filled = min(BAR_CELLS, round(BAR_CELLS * row.in_flight / max(1, row.slots)))
    style = "red" if row.in_flight > row.slots else "green"
    return Text.assemble(("█" * filled, style), ("░" * (BAR_CELLS - filled), "dim"))


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
