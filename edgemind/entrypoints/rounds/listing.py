"""`edgemind rounds list`."""

from collections.abc import Mapping
from typing import Any

from edgemind.entrypoints.text_tables import Cell, show_ms, text_table

Document = Mapping[str, Any]
_HEADINGS = ("ROUND", "AGE", "BREACH", "OUTCOME", "DECIDED", "BALLOTS", "COORDINATOR", "EFFECTS")


def listing_text(page: Document, now_ms: float) -> str:
    """`now_ms` is wall time: ages are as good as the clocks agree."""
    rows = [_row(one, now_ms) for one in page["rounds"]]
    if not rows:
        return _missing(page) or "The swarm has held no round yet."
    lines = [text_table(_HEADINGS, rows)]
    if page.get("next_cursor"):
        lines.append(f"\nolder: --cursor {page['next_cursor']}")
    if page.get("unreachable"):
        lines.append(f"\n{_missing(page)}")
    return "\n".join(lines)


def breach_text(model: str, site: str | None) -> str:
    return f"{model or 'a breach'} at {site}" if site else model


def _row(one: Document, now_ms: float) -> list[Cell]:
    counted = one.get("ballots")
    return [
        one["fence"],
        show_ms(max(0.0, now_ms - one["at_ms"])),
        breach_text(one.get("model") or "", one.get("breached")),
        one["told"],
        show_ms(one.get("decided_ms")),
        None if counted is None else f"{counted}/{one['voters']}",
        one.get("coordinator"),
        ", ".join(f"{effect['site']} {effect['state']}" for effect in one.get("effects") or []),
    ]


def _missing(page: Document) -> str:
    silent = page.get("unreachable") or []
    return f"without what {', '.join(silent)} would tell: not reached just now" if silent else ""
