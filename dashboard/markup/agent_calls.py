"""What agents asked, a row each."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from dashboard.markup.elements import Heading, Html, joined, quiet, span, table, tag, text
from dashboard.markup.round import cut
from dashboard.resources import AgentCall
from dashboard.wording import milliseconds

_HEADINGS = (
    Heading("Time"),
    Heading("Who"),
    Heading("Asked"),
    Heading("Came"),
    Heading("Took", numeric=True),
    Heading("Round"),
)


def agent_call_table(calls: Sequence[AgentCall], zone: tzinfo) -> Html:
    """`zone` is the reader's."""
    return table("Calls of agents", _HEADINGS, (_row(one, zone) for one in calls), "em-stacked")


def _row(one: AgentCall, zone: tzinfo) -> dict[str, Html]:
    at = datetime.fromtimestamp(one.at_ms / 1000.0, zone)
    came = span("em-bad", text(f"failed: {one.failed}")) if one.failed else tag("code", text(cut(one.result or "")))
    return {
        "Time": text(f"{at:%H:%M:%S}"),
        "Who": joined([text(one.role or "?"), quiet(one.site)], " "),
        "Asked": tag("code", text(f"{one.tool}({cut(one.arguments)})")),
        "Came": came,
        "Took": text(milliseconds(one.took_ms)),
        "Round": text(one.fence or ""),
    }
