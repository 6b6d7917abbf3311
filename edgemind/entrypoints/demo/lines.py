"""The demo's display where there is no terminal to draw on: a line every few seconds, and each event as it happens."""

from typing import Protocol

import click

from edgemind.entrypoints.demo.snapshot import Snapshot, milliseconds, reasons
from edgemind.services.demo_report import Event

LINE_EVERY_S = 5.0


class Display(Protocol):
    """Where a run shows itself. `show` may be called several times a second."""

    def show(self, snapshot: Snapshot) -> None: ...

    def event(self, event: Event) -> None: ...

    def close(self) -> None: ...


class PlainLines:
    """`Display` on stdout."""

    def __init__(self, every_s: float = LINE_EVERY_S) -> None:
        self._every_s = every_s
        self._next_s = every_s

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.elapsed_s < self._next_s:
            return
        self._next_s = snapshot.elapsed_s - snapshot.elapsed_s % self._every_s + self._every_s
        click.echo(line_of(snapshot))

    def event(self, event: Event) -> None:
        click.echo(f"{event.at_s:.0f} s: {event.text}")

    def close(self) -> None:
        return


def line_of(snapshot: Snapshot) -> str:
    """Everything in one line; it may be long, for it goes to a log."""
    ran = "; ".join(f"{row.name} {sum(row.ran.values())} ({reasons(row.ran)})" for row in snapshot.rows if row.ran)
    load = ", ".join(f"{row.name} {row.in_flight}/{row.slots}" for row in snapshot.rows if row.slots is not None)
    ages = [row.table_age_ms for row in snapshot.rows if row.table_age_ms is not None]
    parts = [f"{snapshot.elapsed_s:.0f} s: {snapshot.rates}", snapshot.counts]
    parts += [f"ran: {ran}"] if ran else []
    parts += [f"load: {load}"] if load else []
    parts += [f"oldest table {milliseconds(max(ages))}"] if ages else []
    parts += [snapshot.swarm] if snapshot.swarm else []
    return " | ".join(parts)
