"""Which models are where, which of them can answer at once, and one prompt to one of them."""

import asyncio
from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from edgemind.domain.fleet_status import FleetModel, ModelList
from edgemind.domain.membership import SERVING, SiteState
from edgemind.entrypoints.controller.access import Role
from edgemind.errors import PermanentError
from mcp_tools.arguments import After, ModelName, PageLimit, SiteName
from mcp_tools.calls import Call
from mcp_tools.chat import Prompt
from mcp_tools.tools import TIMEOUT_S, ResourceSpec, ServerSpec, ToolSpec

PROGRESS_EVERY_S = 1.0
INFERENCE_LIMIT_S = 120.0
PROMPT_LIMIT = 16_000
TOKENS_LIMIT = 2048

Text = Annotated[str, Field(min_length=1, max_length=PROMPT_LIMIT, description="What to say to the model.")]
Tokens = Annotated[int, Field(ge=1, le=TOKENS_LIMIT, description="Length of the answer at most.")]
DeadlineMs = Annotated[int, Field(ge=100, le=100_000, description="By when the answer is wanted, in milliseconds.")]


class Models(BaseModel):
    models: list[FleetModel] = Field(description="By name.")
    left_off: int
    next_after: str | None


class Residency(BaseModel):
    """`ready`: its server has the model loaded and answers. `free_slots`: requests it would begin at once."""

    site: str
    state: SiteState
    ready: bool
    free_slots: int
    waiting: int


class CacheStatus(BaseModel):
    model: str
    resident_at: list[str] = Field(description="Sites that can answer now without loading it.")
    held_at: list[Residency]
    in_cloud: bool


class InferenceResult(BaseModel):
    """`site`, `reason` and `decision_id` tell where it ran and why; query_journal explains the decision."""

    text: str
    finish_reason: str | None
    site: str | None
    reason: str | None
    decision_id: str | None
    took_ms: float


async def list_models(call: Call, limit: PageLimit = 50, after: After = None) -> Models:
    """Every model of the fleet, the sites that hold it, and its load there."""
    found = await call.fleet.models()
    behind = [one for one in sorted(found.models, key=lambda one: one.model) if after is None or one.model > after]
    shown = behind[:limit]
    more = len(behind) - len(shown)
    return Models(models=shown, left_off=more, next_after=shown[-1].model if more else None)


async def get_cache_status(call: Call, model: ModelName) -> CacheStatus:
    """Where one model is resident: loaded, ready, and how many requests each site would begin at once."""
    found = _named(await call.fleet.models(), model)
    held = [
        Residency(
            site=one.site,
            state=one.state,
            ready=one.ready,
            free_slots=max(0, one.slots - one.in_flight),
            waiting=max(0, one.in_flight - one.slots),
        )
        for one in found.held_at
    ]
    resident = [one.site for one in held if one.ready and one.state in SERVING]
    return CacheStatus(model=model, resident_at=resident, held_at=held, in_cloud=found.in_cloud)


async def run_inference(
    call: Call,
    model: ModelName,
    site: SiteName,
    prompt: Text,
    max_tokens: Tokens = 64,
    deadline_ms: DeadlineMs = 30_000,
) -> InferenceResult:
    """Send one prompt to a site's gateway, which routes it like a device's. Needs operator: it costs capacity."""
    if call.session.chat is None:
        raise PermanentError("no gateway can be asked from here")
    gateway = (await call.fleet.site(site)).gateway_url
    if gateway is None:
        raise PermanentError(f"{site} has no gateway: choose a site that has one (get_fleet_metrics shows them)")
    clock = asyncio.get_running_loop().time
    began_s = clock()
    count = 0

    def received(pieces: int) -> None:
        nonlocal count
        count = pieces

    asked = asyncio.ensure_future(
        call.session.chat.ask(gateway, Prompt(model, prompt, max_tokens, deadline_ms), received)
    )
    try:
        while not (await asyncio.wait([asked], timeout=PROGRESS_EVERY_S))[0]:
            await call.progress(count, None, f"{count} pieces of the answer have come")
        answer = await asked
    finally:
        asked.cancel()
    took_ms = round((clock() - began_s) * 1000.0, 1)
    return InferenceResult(
        text=answer.text,
        finish_reason=answer.finish_reason,
        site=answer.site,
        reason=answer.reason,
        decision_id=answer.decision_id,
        took_ms=took_ms,
    )


async def fleet_models(call: Call) -> Models:
    """The models as `list_models` shows them, the first 200."""
    return await list_models(call, 200)


def _named(found: ModelList, name: str) -> FleetModel:
    for model in found.models:
        if model.model == name:
            return model
    known = ", ".join(model.model for model in found.models[:20])
    raise ToolError(f"no site holds {name!r}; there are: {known}")


SERVER = ServerSpec(
    "inference",
    "Models of an EdgeMind fleet: where they are, and one prompt to one of them (operators only).",
    [
        ToolSpec(list_models),
        ToolSpec(get_cache_status),
        ToolSpec(run_inference, Role.OPERATOR, timeout_s=INFERENCE_LIMIT_S + TIMEOUT_S, changes=True, idempotent=False),
    ],
    [ResourceSpec("edgemind://models", fleet_models)],
)
