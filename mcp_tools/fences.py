"""A write that rests on what a caller saw is refused once the swarm has decided something later."""

from edgemind.domain.swarm.vote_documents import fence_from_text
from edgemind.errors import PermanentError
from mcp_tools.calls import Call


async def require_newest(call: Call, fence: str | None) -> None:
    """Nothing without a fence. PermanentError if a round later than `fence` is known.

    It is looked at before the write, not in one step with it: a round that is decided in between is not seen.
    """
    if fence is None:
        return
    page = await call.fleet.rounds(1, None)
    newest = page.rounds[0].fence if page.rounds else None
    if newest is not None and fence_from_text(newest) > fence_from_text(fence):
        raise PermanentError(
            f"round {newest} was decided after {fence}, which this rests on: nothing was changed; look again, then "
            f"send fence={newest}"
        )
