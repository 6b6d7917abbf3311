"""What happened: the journal of decisions, the fleet's numbers in Prometheus' text format, and what is to be logged."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from edgemind.domain.worker_reports import DecisionSummary
from edgemind.entrypoints.controller.access import Role
from mcp_tools.arguments import Cursor, DryRun, IfNewest, OfRound, PageLimit, Words
from mcp_tools.calls import Call
from mcp_tools.exposition import fleet_exposition
from mcp_tools.fences import require_newest
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


class LoggedEvent(BaseModel):
    """`applied` is false for a dry run; `at_ms` is wall time."""

    site: str
    applied: bool
    at_ms: int | None


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


async def log_event(
    call: Call,
    event: Words,
    round: OfRound = None,  # noqa: A002 - what a caller knows it as
    dry_run: DryRun = False,
    fence: IfNewest = None,
) -> LoggedEvent:
    """Log something in the asked controller's audit journal, as an admin action of the caller. Needs operator."""
    await require_newest(call, fence)
    if dry_run:
        return LoggedEvent(site=(await call.fleet.fleet(local=True)).asked, applied=False, at_ms=None)
    logged = await call.fleet.log_event(event, round)
    return LoggedEvent(site=logged.site, applied=True, at_ms=logged.at_ms)


async def recent_decisions(call: Call) -> JournalPage:
    """The fleet's last 50 decisions."""
    return await query_journal(call)


SERVER = ServerSpec(
    "telemetry",
    "What an EdgeMind fleet decided and why, and its numbers; operators may log what they did.",
    [
        ToolSpec(query_journal),
        ToolSpec(export_metrics),
        ToolSpec(log_event, Role.OPERATOR, changes=True, idempotent=False),
    ],
    [ResourceSpec("edgemind://decisions", recent_decisions)],
)
