"""What happened: the journal of decisions, and the fleet's numbers in Prometheus' text format."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from edgemind.domain.worker_reports import DecisionSummary
from mcp_tools.arguments import Cursor, PageLimit
from mcp_tools.calls import Call
from mcp_tools.exposition import fleet_exposition
from mcp_tools.tools import ResourceSpec, ServerSpec, ToolSpec

DecisionId = Annotated[
    str | None, Field(max_length=200, description="Explain this one instead: the `x-request-id` of its response.")
]


class JournalPage(BaseModel):
    """Newest first. `explanation` is there if one decision was asked for, as its gateway worker tells it."""

    decisions: list[DecisionSummary]
    next_cursor: str | None = None
    unreachable: list[str] = Field(default=[], description="Sites whose decisions are missing.")
    explanation: Mapping[str, object] | None = None


class MetricsText(BaseModel):
    content_type: str
    text: str


async def query_journal(
    call: Call, limit: PageLimit = 50, cursor: Cursor = None, decision_id: DecisionId = None
) -> JournalPage:
    """Recent routing decisions of the fleet, or with decision_id why one request ran where it ran."""
    if decision_id is not None:
        return JournalPage(decisions=[], explanation=await call.fleet.decision(decision_id))
    page = await call.fleet.decisions(limit, cursor)
    return JournalPage(decisions=page.decisions, next_cursor=page.next_cursor, unreachable=page.unreachable)


async def export_metrics(call: Call) -> MetricsText:
    """The fleet's numbers of this moment in Prometheus' text format: one sample a site, or a site and model."""
    content_type, text = fleet_exposition(await call.fleet.fleet())
    return MetricsText(content_type=content_type, text=text)


async def recent_decisions(call: Call) -> JournalPage:
    """The fleet's last 50 decisions."""
    return await query_journal(call)


SERVER = ServerSpec(
    "telemetry",
    "What an EdgeMind fleet decided and why, and its numbers. Everything here only reads.",
    [ToolSpec(query_journal), ToolSpec(export_metrics)],
    [ResourceSpec("edgemind://decisions", recent_decisions)],
)
