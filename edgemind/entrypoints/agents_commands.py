"""`edgemind agents list|tap`: what tools the sites' agents call, and what comes of it.

Exit codes: 0 done; 1 the fleet said no; 2 wrong usage; 3 the fleet cannot be reached.
"""

import json
from collections.abc import Iterator, Mapping
from time import sleep
from typing import Any

import click

from edgemind.entrypoints.fleet_options import FleetSession, fleet_options
from edgemind.entrypoints.fleet_text import clock_time
from edgemind.entrypoints.printable import printable
from edgemind.entrypoints.text_tables import Cell, show_ms, text_table

TAP_INTERVAL_S = 0.5
TAP_PAGE = 200
SHOWN_CHARS = 60
EXIT_CODES = "Exit codes: 0 done; 1 the fleet said no; 2 wrong usage; 3 the fleet cannot be reached."
_HEADINGS = ("TIME", "SITE", "ROLE", "TOOL", "ROUND", "TOOK", "ARGUMENTS", "RESULT")
_WIDTHS = (12, 12, 20, 34, 8, 8, SHOWN_CHARS)

Document = Mapping[str, Any]


@click.group(epilog=EXIT_CODES)
def agents() -> None:
    """The sites' agents: what tools they call, and what comes of it."""


@agents.command("list", epilog=EXIT_CODES)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Calls on the page.")
@click.option("--cursor", help="Continue after an earlier page.")
@click.option("--round", "fence", metavar="ROUND", help="Of this round only, such as 1.17.")
@click.option("--scope", type=click.Choice(["fleet", "site"]), default="fleet", help="Everybody's, or one site's.")
@fleet_options
def list_calls(session: FleetSession, limit: int, cursor: str | None, fence: str | None, scope: str) -> None:
    """Recent tool calls, newest first."""
    page = session.client.get("agent-calls", limit=limit, cursor=cursor, fence=fence, scope=scope)
    click.echo(json.dumps(page, indent=2) if session.as_json else page_text(page))


@agents.command(epilog=EXIT_CODES)
@click.option("--count", type=click.IntRange(1), help="End after so many calls; otherwise at Ctrl-C.")
@fleet_options
def tap(session: FleetSession, count: int | None) -> None:
    """Follow tool calls as they are made; with -o json, one document a line."""
    if not session.as_json:
        click.echo(_line(_HEADINGS))
    shown = 0
    try:
        for call in _new_calls(session):
            click.echo(json.dumps(call) if session.as_json else _line([str(cell or "-") for cell in _row(call)]))
            shown += 1
            if shown == count:
                return
    except KeyboardInterrupt:
        return


def page_text(page: Document) -> str:
    rows = [_row(call) for call in page["calls"]]
    silent = page.get("unreachable") or []
    missing = f"without what {', '.join(silent)} would tell: not reached just now, or older" if silent else ""
    if not rows:
        return missing or "No agent has called a tool yet: `edgemind controller --voter strands` runs agents."
    parts = [text_table(_HEADINGS, rows)]
    if page.get("next_cursor"):
        parts.append(f"older: --cursor {page['next_cursor']}")
    return "\n\n".join([*parts, missing] if missing else parts)


def _row(call: Document) -> list[Cell]:
    failed = call.get("failed")
    came = f"failed: {failed}" if failed is not None else call.get("result")
    return [
        clock_time(call["at_ms"]),
        printable(call["site"]),
        printable(call["role"]),
        printable(call["tool"], SHOWN_CHARS),
        call.get("fence"),
        show_ms(call["took_ms"]),
        printable(call["arguments"], SHOWN_CHARS),
        printable(came or "", SHOWN_CHARS),
    ]


def _line(cells: Any) -> str:
    *padded, last = cells
    return "  ".join([*(cell.ljust(width) for cell, width in zip(padded, _WIDTHS, strict=True)), last])


def _new_calls(session: FleetSession) -> Iterator[dict[str, Any]]:
    """Calls that were not there at the first look, oldest first, each once."""
    seen: dict[str, None] = {}
    first = True
    while True:
        page = session.client.get("agent-calls", limit=TAP_PAGE)["calls"]
        for call in reversed(page):
            if call["id"] not in seen:
                seen[call["id"]] = None
                if not first:
                    yield call
        for oldest in list(seen)[: max(0, len(seen) - 10 * TAP_PAGE)]:
            del seen[oldest]
        first = False
        sleep(TAP_INTERVAL_S)
