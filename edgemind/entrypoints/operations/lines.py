"""Lines of text for a terminal of any width: spans with styles, cut by the cells that they take, safe to print."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GOOD, WARN, BAD, DIM, HEAD, PLAIN = "good", "warn", "bad", "dim", "head", ""


@dataclass(frozen=True, slots=True)
class Span:
    text: str
    style: str = PLAIN


Line = tuple[Span, ...]


def plain(text: object) -> str:
    """Names come over the network: nothing in them may move the cursor, change colours or reverse the line."""
    return "".join(char if char.isprintable() else "?" for char in str(text))


def cells(text: str) -> int:
    return sum(_cells(char) for char in text)


def cut(text: str, width: int) -> str:
    """At most `width` cells; what is cut off ends in an ellipsis."""
    if cells(text) <= width:
        return text
    kept, used = "", 0
    for char in text:
        used += _cells(char)
        if used > width - 1:
            break
        kept += char
    return f"{kept}…" if width > 0 else ""


def padded(text: str, width: int, *, right: bool = False) -> str:
    fitted = cut(text, width)
    space = " " * (width - cells(fitted))
    return space + fitted if right else fitted + space


def fitted(line: Iterable[Span], width: int) -> Line:
    spans, left = [], width
    for span in line:
        text = cut(span.text, left)
        spans.append(Span(text, span.style))
        left -= cells(text)
        if left <= 0:
            break
    return tuple(spans)


def as_text(lines: Sequence[Line]) -> str:
    """Without colours."""
    return "\n".join("".join(span.text for span in line).rstrip() for line in lines)


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
