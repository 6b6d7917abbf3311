"""What the swarm decided: its state now, and each round with ballots, tally, votes and what came of it."""

from pydantic import BaseModel, Field

from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.swarm.summaries import RoundSummary
from edgemind.entrypoints.controller.access import Role
from edgemind.entrypoints.controller.round_shapes import RoundShape
from edgemind.errors import PermanentError
from mcp_tools.arguments import Cursor, DryRun, FenceText, IfNewest, Local, ModelName, RoundLimit
from mcp_tools.calls import Call
from mcp_tools.fences import require_newest
from mcp_tools.tools import ResourceSpec, ServerSpec, ToolSpec


class SwarmState(BaseModel):
    """`newest` is the fence that writes may be tied to; null before the first round."""

    metro: str
    asked: str = Field(description="The site whose controller answered.")
    newest: str | None
    since_change_ms: float | None = Field(
        description="Since the last decided change was learned of; null if none is known."
    )
    swarm: SwarmStatus | None = Field(description="How the asked site takes part; null if it takes part in no rounds.")
    members: dict[str, str] = Field(
        description="State by site, of those with a controller. Who may vote is in swarm.roster."
    )
    rounds: list[RoundSummary] = Field(description="Newest first.")
    next_cursor: str | None
    unreachable: list[str] = Field(description="Sites that told nothing of their rounds.")


async def get_swarm_state(
    call: Call, limit: RoundLimit = 10, cursor: Cursor = None, local: Local = False
) -> SwarmState:
    """Who can vote, and the rounds that were decided lately: what, how fast, by how many ballots, and its effects."""
    fleet = await call.fleet.fleet(local)
    page = await call.fleet.rounds(limit, cursor, local)
    newest = page if cursor is None else await call.fleet.rounds(1, None, local)
    return SwarmState(
        metro=fleet.metro,
        asked=fleet.asked,
        newest=newest.rounds[0].fence if newest.rounds else None,
        since_change_ms=await call.fleet.since_change_ms(),
        swarm=next((one.swarm for one in fleet.sites if one.name == fleet.asked), None),
        members={one.name: one.state.value for one in fleet.sites if one.controller_url},
        rounds=page.rounds,
        next_cursor=page.next_cursor,
        unreachable=page.unreachable,
    )


async def get_round(call: Call, fence: FenceText) -> RoundShape:
    """One round: what breached, candidates, ballots, tally, quorum, every site's vote with its tool calls, effects."""
    return await call.fleet.round(fence)


class Asked(BaseModel):
    """`applied` is false for a dry run. get_swarm_state tells what was decided, a moment later."""

    site: str
    model: str
    applied: bool


async def open_round(call: Call, model: ModelName, dry_run: DryRun = False, fence: IfNewest = None) -> Asked:
    """Let the swarm decide about a model of the asked controller's site, though nothing breaches. Needs operator."""
    await require_newest(call, fence)
    if not dry_run:
        asked = await call.fleet.ask_swarm(model)
        return Asked(site=asked.site, model=asked.model, applied=True)
    fleet = await call.fleet.fleet(local=True)
    held = [one.model for site in fleet.sites if site.name == fleet.asked for one in site.models]
    if model not in held:
        raise PermanentError(f"{fleet.asked} does not hold {model!r}; it holds {', '.join(held) or 'nothing'}")
    return Asked(site=fleet.asked, model=model, applied=False)


async def recent_rounds(call: Call) -> SwarmState:
    """The swarm's state with its last 50 rounds."""
    return await get_swarm_state(call, 50)


async def one_round(call: Call, fence: str) -> RoundShape:
    """One round as `get_round` shows it."""
    return await call.fleet.round(fence)


SERVER = ServerSpec(
    "memory_sync",
    "Rounds of an EdgeMind fleet's swarm: what was decided, by whom, and what came of it; operators may open one.",
    [
        ToolSpec(get_swarm_state),
        ToolSpec(get_round),
        ToolSpec(open_round, Role.OPERATOR, changes=True, idempotent=False),
    ],
    [ResourceSpec("edgemind://rounds", recent_rounds), ResourceSpec("edgemind://rounds/{fence}", one_round)],
)
