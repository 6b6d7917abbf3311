"""An upstream that answers inference requests over HTTP/1.1: a model server, a neighbour's gateway, the cloud tier."""

from collections.abc import Sequence
from typing import Protocol

ANSWER_LIMIT_BYTES = 8 * 1024 * 1024
"""A whole answer beyond this is given up: a peer that went wrong must not fill this process."""

Headers = Sequence[tuple[bytes, bytes]]
"""Lower-case names with values, as ASGI has them."""


class Answer(Protocol):
    """One response from its first body bytes on (or from its end, if it has no body)."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    @property
    def complete(self) -> bool:
        """Whether nothing follows what `take` gives."""

    def take(self) -> bytes:
        """The body bytes that have come so far, given up by this object."""


class AnswerSink(Protocol):
    """Who waits for an answer. Called inside the read callback of the upstream's connection: must not block.

    Either `on_failed` alone (UpstreamFailed: nothing of the body came), or `on_answer`, then `on_chunk` for everything
    further, then `on_end` or `on_failed` (UpstreamCut). An answer that is complete at `on_answer` gets no `on_end`.
    """

    def on_answer(self, answer: Answer) -> None: ...

    def on_chunk(self, chunk: bytes) -> None: ...

    def on_end(self) -> None: ...

    def on_failed(self, error: Exception) -> None: ...


class PendingRequest(Protocol):
    """A request under way, as its sender may act on it."""

    def cancel(self) -> None:
        """Give up: the connection is closed at once, so that the upstream stops working. The sink hears no more."""

    def pause(self) -> None:
        """Stop reading from the upstream: the reader downstream is slower."""

    def resume(self) -> None:
        """Read on after `pause`."""


class UpstreamResponse(Answer, Protocol):
    """An answer for callers that await."""

    async def more(self) -> bytes:
        """What has come since the last look, at least a byte; nothing at the clean end.

        Raises UpstreamCut when the upstream dies before the end or stays silent longer than allowed. While nobody asks,
        little is held, and the rest is not read.
        """

    async def whole(self, limit: int = ANSWER_LIMIT_BYTES) -> bytes:
        """Everything that comes to the clean end. Raises UpstreamCut, also past `limit` bytes."""

    def cancel(self) -> None:
        """Give up on the rest: the connection is closed at once. After the end it does nothing."""


class Upstream(Protocol):
    """A pool of keep-alive connections to one origin."""

    def request(self, head: bytes, body: bytes, sink: AnswerSink) -> PendingRequest:
        """Send one request (serialized head and whole body); `sink` gets what comes of it, never before this returns.

        Its failures: UpstreamUnreachable if no connection can be had; UpstreamFailed if the upstream dies or stays
        silent before its first body byte; UpstreamCut after it.
        """

    async def send(self, head: bytes, body: bytes) -> UpstreamResponse:
        """As `request`, awaiting the first body byte. Raises UpstreamUnreachable or UpstreamFailed."""

    async def close(self) -> None:
        """Close idle connections; those in use close when their response ends."""
