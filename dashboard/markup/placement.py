"""Which site serves which model: a matrix of slots in use."""

from collections.abc import Sequence

from dashboard.history import in_service
from dashboard.markup.elements import Heading, Html, bar, joined, quiet, slots, span, table, tag, text
from edgemind.domain.fleet_status import ModelStatus, SiteStatus

MODELS_SHOWN = 12
SITES_WITH_BARS = 20
"""Of more sites the numbers alone are sent: a bar is four times as long as what it draws."""


def placement_table(sites: Sequence[SiteStatus]) -> Html:
    """A row for each site, a column for each model; the models of most sites first."""
    held: dict[str, int] = {}
    for site in sites:
        for one in site.models:
            held[one.model] = held.get(one.model, 0) + 1
    models = sorted(held, key=lambda name: (-held[name], name))
    shown = models[:MODELS_SHOWN]
    bars = len(sites) <= SITES_WITH_BARS
    headings = [Heading("Site"), *(Heading(model) for model in shown)]
    whole = table("Which site serves which model", headings, (_row(site, bars) for site in sites), "em-placement")
    if len(models) == len(shown):
        return whole
    return joined([whole, tag("p", quiet(f"and {len(models) - len(shown)} more models at fewer sites"))])


def _row(site: SiteStatus, bars: bool) -> dict[str, Html]:
    row = {"Site": span("em-name", text(site.name))}
    if in_service(site):
        row |= {one.model: _cell(one, bars) for one in site.models}
    return row


def _cell(one: ModelStatus, bars: bool) -> Html:
    if not one.ready:
        return span("em-bad", text("✕ not ready"))
    ratio = one.in_flight / one.slots if one.slots else 0.0
    replicas = quiet(f" in {one.replicas} replicas") if one.replicas > 1 else Html("")
    if not bars and not replicas and one.in_flight <= one.slots:
        return text(f"{one.in_flight}/{one.slots}")
    used = joined([slots(one.in_flight, one.slots), replicas])
    return tag(
        "span", joined([bar(ratio, "em-full" if ratio >= 1 else "") if bars else Html(""), used]), class_="em-slots"
    )
