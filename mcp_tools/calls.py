"""Who calls a tool, what that caller may do, and what one call has at hand."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR

from edgemind.entrypoints.controller.access import Role
from mcp_tools.chat import ChatClient
from mcp_tools.source import FleetSource

VIEWERS_CURE = "this server was started to read only"


@dataclass(frozen=True, slots=True)
class Session:
    """A caller. `cure` tells one whose role is too low what to do; `chat` is None where no gateway can be asked."""

    role: Role
    fleet: FleetSource
    chat: ChatClient | None = None
    cure: str = VIEWERS_CURE


Sessions = Callable[[Any], Session]
"""The HTTP request that a call came with (None: over stdio, or in process) -> who sent it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one tool, as its function gets it."""

    session: Session
    channel: ServerSession

    @property
    def fleet(self) -> FleetSource:
        return self.session.fleet

    async def progress(self, done: float, total: float | None, message: str) -> None:
        """Tell the client how far it is; nothing happens if it did not ask to be told."""
        await self.channel.report_progress(done, total, message)


_current: ContextVar[Call] = ContextVar("mcp_tools_call")


def current_call() -> Call:
    """The call that this task serves."""
    return _current.get()


class Doorway:
    """Middleware of a server: every message is served in the session of whoever sent it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def __call__(
        self,
        ctx: ServerRequestContext[Any, Any],
        call_next: Callable[[ServerRequestContext[Any, Any]], Awaitable[Any]],
    ) -> Any:
        try:
            session = self._sessions(ctx.request)
        except LookupError as exc:
            raise MCPError(INTERNAL_ERROR, f"nobody is known to have sent this: {exc}") from exc
        token = _current.set(Call(session, ctx.session))
        try:
            return await call_next(ctx)
        finally:
            _current.reset(token)


def one_caller(session: Session) -> Sessions:
    """For stdio and for clients in the same process: whoever has the channel is the caller."""
    return lambda _: session
