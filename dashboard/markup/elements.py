"""The small parts that the tables are made of. What takes text escapes it; what takes `Html` passes it on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NewType

from dashboard.wording import number
from edgemind.domain.membership import SiteState

Html = NewType("Html", str)
"""Escaped already, or made of tags of our own."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: `label` also stands before its cells where the screen is too narrow for columns."""

    label: str
    numeric: bool = False


def text(value: str) -> Html:
    return Html(escape(value, quote=True))


def joined(parts: Iterable[Html], between: str = "") -> Html:
    return Html(escape(between).join(parts))


def tag(name: str, content: Html, **attributes: str) -> Html:
    """`class_` becomes class, `data_label` becomes data-label."""
    given = "".join(f' {key.strip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{content}</{name}>")


def span(css_class: str, content: Html) -> Html:
    return tag("span", content, class_=css_class)


def quiet(value: str) -> Html:
    """Words beside what matters."""
    return span("em-quiet", text(value))


def bar(ratio: float, css_class: str = "") -> Html:
    """A meter; the number that it draws has to stand beside it in words."""
    percent = 100.0 * min(1.0, max(0.0, ratio))
    fill = tag("span", Html(""), class_=f"em-fill {css_class}".strip(), style=f"width:{percent:.1f}%")
    return tag("span", fill, class_="em-bar", aria_hidden="true")


def slots(in_flight: float, held: int) -> Html:
    """`2/3`, with who waits beyond the slots."""
    waiting = max(0.0, in_flight - held)
    more = span("em-waiting", text(f" +{number(waiting)} waiting")) if waiting else Html("")
    return tag("span", joined([span("em-num", text(f"{number(min(in_flight, held))}/{held}")), more]))


def state_sign(state: SiteState, sign: str) -> Html:
    return tag("span", text(sign), class_=f"em-sign em-{state.value}", aria_hidden="true")


def table(caption: str, headings: Sequence[Heading], rows: Iterable[Mapping[str, Html]], css_class: str = "") -> Html:
    """`rows` map a heading's label to its cell; the first column names the row. `caption` is for screen readers."""
    head = joined(
        tag("th", text(one.label), scope="col", class_="em-right" if one.numeric else "em-left") for one in headings
    )
    body = joined(tag("tr", joined(_cell(row, one, first=k == 0) for k, one in enumerate(headings))) for row in rows)
    parts = [
        tag("caption", text(caption)),
        tag("thead", tag("tr", head)),
        tag("tbody", body),
    ]
    # A region that scrolls has to be reachable by keyboard.
    whole = tag("table", joined(parts), class_=f"em-table {css_class}".strip())
    return tag("div", whole, class_="em-scroll", tabindex="0", role="region", aria_label=caption)


def _cell(row: Mapping[str, Html], heading: Heading, *, first: bool) -> Html:
    content = row.get(heading.label, Html(""))
    alignment = "em-right" if heading.numeric else "em-left"
    if first:
        return tag("th", content, scope="row", class_=alignment)
    return tag("td", content, class_=alignment, data_label=heading.label)
