"""The routing table of one ingress: a row for each model, a column for each place."""

from dashboard.markup.elements import Heading, Html, joined, quiet, span, table, tag, text
from dashboard.wording import number, share
from edgemind.domain.fleet_status import TableStatus


def routing_table(status: TableStatus) -> Html:
    places = sorted({site for row in status.weights.values() for site, weight in row.items() if weight})
    headings = [Heading("Model"), *(Heading(place, numeric=True) for place in places)]
    rows = (_row(model, row, places) for model, row in sorted(status.weights.items()))
    return table("Routing table", headings, rows, "em-matrix em-routing")


def _row(model: str, weights: dict[str, float], places: list[str]) -> dict[str, Html]:
    total = sum(weights.values())
    return {"Model": text(model), **{place: _cell(weights.get(place, 0.0), total) for place in places}}


def _cell(weight: float, total: float) -> Html:
    if not weight:
        return quiet("·")
    content = joined([span("em-share", text(share(weight, total))), quiet(f"{number(weight)}/s")])
    return tag("span", content, class_="em-cell", style=f"--em-shade:{10 + 45 * weight / total:.0f}%")
