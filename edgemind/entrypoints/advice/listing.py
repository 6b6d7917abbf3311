"""Changes of policy as a person reads them. What a model or another person wrote is shown escaped."""

from collections.abc import Mapping
from typing import Any

from edgemind.entrypoints.printable import printable
from edgemind.entrypoints.text_tables import Cell, show_ms, text_table

Document = Mapping[str, Any]
_HEADINGS = ("CHANGE", "AGE", "STATE", "WHAT", "BY", "REPLAY")
_LINE_LIMIT = 60


def page_text(page: Document, now_ms: float) -> str:
    """`now_ms` is wall time: ages are as good as the clocks agree."""
    rows = [_row(one, now_ms) for one in page["changes"]]
    lines = [text_table(_HEADINGS, rows) if rows else "Nobody has proposed a change yet, or none is kept."]
    if page.get("next_cursor"):
        lines.append(f"\nolder: --cursor {page['next_cursor']}")
    lines.append(f"\n{_standing(page)}")
    return "\n".join(lines)


def settings_text(page: Document) -> str:
    """What advice may change, and how far one change goes."""
    rows: list[list[Cell]] = [
        [
            printable(one["field"]),
            f"{one['value']:g}",
            f"{one['standing']:g}",
            f"{one['low']:g} .. {one['high']:g}",
            printable(one["unit"]),
        ]
        for one in page["settings"]
    ]
    return text_table(("SETTING", "IN FORCE", "FILE", "ONE CHANGE MAY SET", "UNIT"), rows)


def change_text(change: Document, now_ms: float) -> str:
    replay = change["replay"]
    lines = [f"{change['id']}  {_state(change)}"]
    lines += [f"  {_move(move)}" for move in change["changes"]]
    lines += [f"  why     {paragraph(change['reason'])}", f"  replay  {paragraph(replay['reason'])}"]
    lines.append(
        f"  by      {printable(change['proposed_by'])}, {show_ms(max(0.0, now_ms - change['created_ms']))} ago"
    )
    left_ms = change["expires_ms"] - now_ms
    if change["state"] == "accepted":
        lines.append(f"  ends    in {show_ms(max(0.0, left_ms))}, or by `edgemind advice rollback`")
    if change["state"] == "proposed":
        lines.append(
            f"  waits   {show_ms(max(0.0, left_ms))} more for `edgemind advice accept {change['id']}` or `reject`"
        )
    return "\n".join(lines)


def paragraph(text: object) -> str:
    """On one line: line breaks become spaces."""
    return printable(" ".join(str(text).split()))


def _row(change: Document, now_ms: float) -> list[Cell]:
    moves = ", ".join(_move(move) for move in change["changes"])
    said = paragraph(change["replay"]["reason"])
    return [
        change["id"],
        show_ms(max(0.0, now_ms - change["created_ms"])),
        printable(change["state"]),
        moves,
        printable(change["proposed_by"]),
        said if len(said) <= _LINE_LIMIT else f"{said[:_LINE_LIMIT]}...",
    ]


def _move(move: Document) -> str:
    return f"{printable(move['field'])} {move['from']:g} -> {move['to']:g}"


def _state(change: Document) -> str:
    by = f" by {printable(change['decided_by'])}" if change.get("decided_by") else ""
    return f"{printable(change['state']).replace('_', ' ')}{by}"


def _standing(page: Document) -> str:
    if page["paused"]:
        return "advice is paused: nothing is proposed, accepted or followed until `edgemind advice resume`"
    if page["in_force"]:
        return f"in force: {page['in_force']}; what advice may change: `edgemind advice settings`"
    return "in force: what edgemind.yaml says; what advice may change: `edgemind advice settings`"
