"""Where requests go: a matrix of ingress and site, and the reasons why."""

from collections import Counter
from collections.abc import Sequence

from dashboard.history import Flows
from dashboard.markup.elements import Heading, Html, bar, joined, quiet, span, table, tag, text
from dashboard.wording import number, share
from edgemind.domain.requests import because

REASONS_SHOWN = 8
PLACES_IN_COLUMNS = 12
"""More would be a matrix of mostly nothing, too wide to read and too long to send at each refresh."""
OTHERS_SHOWN = 4


def flow_matrix(flows: Flows, sites: Sequence[str]) -> Html:
    """A row for each ingress, a column for each place that ran something; `sites` gives the order of both."""
    ran = {place for counts in flows.by_ingress.values() for place, count in counts.items() if count}
    places = [site for site in sites if site in ran or site in flows.by_ingress]
    places += sorted(ran - set(places))
    if len(places) > PLACES_IN_COLUMNS:
        return _flow_list(flows, sites)
    rows = [_row(name, flows, places) for name in sites if name in flows.by_ingress]
    headings = [Heading("Asked at"), *(Heading(place, numeric=True) for place in places)]
    return table("Where requests ran, by the site that was asked", headings, rows, "em-matrix")


def reasons(flows: Flows) -> Html:
    """The reason codes of answered and refused requests, most frequent first."""
    total = sum(flows.by_reason.values())
    shown = [(name, count) for name, count in flows.by_reason.most_common(REASONS_SHOWN) if count]
    return tag("ul", joined(_reason(name, count, total) for name, count in shown), class_="em-reasons")


def _flow_list(flows: Flows, sites: Sequence[str]) -> Html:
    """A row for each ingress: how much ran there itself, and where most of the rest did."""
    headings = [Heading("Asked at"), Heading("Ran there itself", numeric=True), Heading("Most of the rest")]
    rows = (_list_row(name, flows.by_ingress[name]) for name in sites if name in flows.by_ingress)
    return table("Where requests ran, by the site that was asked", headings, rows, "em-stacked")


def _list_row(ingress: str, counts: Counter[str]) -> dict[str, Html]:
    total = sum(counts.values())
    others = [(place, count) for place, count in counts.most_common() if place != ingress and count]
    said = ", ".join(f"{place} {share(count, total)}" for place, count in others[:OTHERS_SHOWN])
    return {
        "Asked at": text(ingress),
        "Ran there itself": text(share(counts[ingress], total)),
        "Most of the rest": text(said),
    }


def _row(ingress: str, flows: Flows, places: Sequence[str]) -> dict[str, Html]:
    counts = flows.by_ingress[ingress]
    total = sum(counts.values())
    cells = {place: _cell(counts[place], total, flows.seconds, home=place == ingress) for place in places}
    return {"Asked at": text(ingress), **cells}


def _cell(count: int, total: int, seconds: float | None, *, home: bool) -> Html:
    if not count:
        return quiet("·")
    rate = f"{number(count / seconds)}/s" if seconds else number(count)
    # The shade only repeats the number in it.
    strength = f"{10 + 45 * count / total:.0f}%"
    content = joined([span("em-share", text(share(count, total))), quiet(rate)])
    return tag("span", content, class_="em-cell em-home" if home else "em-cell", style=f"--em-shade:{strength}")


def _reason(name: str, count: int, total: int) -> Html:
    parts = [
        span("em-reason", text(name.replace("_", " "))),
        bar(count / total),
        span("em-num", text(share(count, total))),
        quiet(because(name)),
    ]
    return tag("li", joined(parts))
