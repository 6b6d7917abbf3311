"""What the swarm decided: its state now, each round with all that is known of it, and what is remembered of them."""

from typing import Annotated

from pydantic import BaseModel, Field

from edgemind.domain.agent_memory import QUERY_LIMIT, RECALL_LIMIT, Memory, MemoryKind, Wanted
from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.swarm.summaries import RoundSummary
from edgemind.entrypoints.controller.access import Role
from edgemind.entrypoints.controller.round_shapes import RoundShape
from edgemind.errors import PermanentError
from mcp_tools.arguments import (
    Cursor,
    DryRun,
    FenceText,
    IfNewest,
    Local,
    ModelName,
    OfRound,
    OneSite,
    RoundLimit,
    Words,
)
from mcp_tools.calls import Call
from mcp_tools.fences import require_newest
from mcp_tools.tools import ResourceSpec, ServerSpec, ToolSpec

LookFor = Annotated[str, Field(max_length=QUERY_LIMIT, description="Words to look for; without any, the newest.")]
OneKind = Annotated[MemoryKind | None, Field(description="Of this kind only.")]
RecallLimit = Annotated[int, Field(ge=1, le=RECALL_LIMIT, description="At most so many.")]
SinceMs = Annotated[int, Field(ge=0, description="Not before, in wall time: milliseconds since 1970.")]
UntilMs = Annotated[int | None, Field(ge=0, description="Before this, in wall time: milliseconds since 1970.")]


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


class Recalled(BaseModel):
    """What AgentCore learned, then the best match first; without a text the newest. `kept` says where, `matched_by` how
    a text was looked for."""

    memories: list[Memory]
    kept: str
    matched_by: str
    damaged: int = Field(description="Memories that could not be read.")


class RememberedNote(BaseModel):
    """`applied` is false for a dry run, and for what was told before. It is kept a moment later, at `kept`."""

    site: str
    kept: str
    applied: bool
    id: str | None


async def remember(
    call: Call,
    text: Words,
    kind: MemoryKind = MemoryKind.NOTE,
    round: OfRound = None,  # noqa: A002 - what a caller knows it as
    dry_run: DryRun = False,
    fence: IfNewest = None,
) -> RememberedNote:
    """Have the asked controller's site remember something, of a round or in general. Needs operator."""
    await require_newest(call, fence)
    if dry_run:
        # Only to be told where: nobody writes this kind, so that nothing is read.
        known = await call.fleet.recall(Wanted(kind=MemoryKind.LEARNED, limit=1))
        asked = (await call.fleet.fleet(local=True)).asked
        return RememberedNote(site=asked, kept=known.kept, applied=False, id=None)
    told = await call.fleet.remember(text, kind, round)
    return RememberedNote(site=told.site, kept=told.kept, applied=told.new, id=told.id)


async def recall(
    call: Call,
    text: LookFor = "",
    kind: OneKind = None,
    site: OneSite = None,
    since_ms: SinceMs = 0,
    until_ms: UntilMs = None,
    limit: RecallLimit = 20,
) -> Recalled:
    """What is remembered of rounds, their outcomes and accepted advice; tells where, and how a text was looked for."""
    found = await call.fleet.recall(Wanted(text, kind, site, since_ms, until_ms, limit))
    return Recalled(memories=found.memories, kept=found.kept, matched_by=found.matched_by, damaged=found.damaged)


async def recent_rounds(call: Call) -> SwarmState:
    """The swarm's state with its last 50 rounds."""
    return await get_swarm_state(call, 50)


async def one_round(call: Call, fence: str) -> RoundShape:
    """One round as `get_round` shows it."""
    return await call.fleet.round(fence)


SERVER = ServerSpec(
    "memory_sync",
    "Rounds of an EdgeMind fleet's swarm: what was decided, by whom, what came of it, and what is remembered; "
    "operators may open one, and have something remembered.",
    [
        ToolSpec(get_swarm_state),
        ToolSpec(get_round),
        ToolSpec(recall),
        ToolSpec(open_round, Role.OPERATOR, changes=True, idempotent=False),
        ToolSpec(remember, Role.OPERATOR, changes=True, idempotent=False),
    ],
    [ResourceSpec("edgemind://rounds", recent_rounds), ResourceSpec("edgemind://rounds/{fence}", one_round)],
)
