"""Aligned tables and numbers for people. Numbers stand to the right, and what is not known is a dash."""

from collections.abc import Sequence

Cell = str | float | None


def text_table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], indent: str = "") -> str:
    """Columns as wide as their widest cell, two spaces apart; a column of numbers is aligned to the right."""
    shown = [[show(cell) for cell in row] for row in rows]
    numeric = [all(isinstance(row[k], int | float | None) for row in rows) for k in range(len(headings))]
    widths = [max(len(heading), *(len(row[k]) for row in shown), 0) for k, heading in enumerate(headings)]
    lines = []
    for cells in [list(headings), *shown]:
        aligned = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        lines.append((indent + "  ".join(aligned)).rstrip())
    return "\n".join(lines)


def show(cell: Cell) -> str:
    """A number with as many decimals as a person reads: 0.42, 7.3, 412."""
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, float):
        size = abs(cell)
        return f"{cell:.0f}" if size >= 100 or cell == 0 else f"{cell:.1f}" if size >= 1 else f"{cell:.2f}"
    return str(cell)


def show_ms(ms: float | None) -> str:
    """A duration in the unit that fits: 412 ms, 3.2 s, 5 min."""
    if ms is None:
        return "-"
    if ms < 1000:
        return f"{show(float(ms))} ms"
    return f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"
