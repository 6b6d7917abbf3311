"""An upstream that answers inference requests over HTTP/1.1: a model server, a neighbour's gateway, the cloud tier."""

from collections.abc import Callable, Sequence
from typing import Protocol

Headers = Sequence[tuple[bytes, bytes]]
"""Lower-case names with values, as ASGI has them."""


class UpstreamResponse(Protocol):
    """One response whose first body bytes have come (or whose end has, if it has no body).

    `complete` tells that nothing follows what `take` gives.
    """

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    @property
    def complete(self) -> bool: ...

    def take(self) -> bytes:
        """The body bytes that have come so far, given up by this object."""

    async def relay(self, push: Callable[[bytes], None]) -> None:
        """Hand every further body chunk to `push` the moment it arrives; return at the clean end.

        Raises UpstreamCut when the upstream dies before the end or stays silent longer than allowed.
        """

    def pause(self) -> None:
        """Stop reading from the upstream: the reader downstream is slower."""

    def resume(self) -> None:
        """Read on after `pause`."""

    def cancel(self) -> None:
        """Give up on the rest: the connection is closed at once, so that the upstream stops working."""


class PendingRequest(Protocol):
    """What a request under way lets others do to it from outside its own task."""

    def cancel(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Upstream(Protocol):
    """A pool of keep-alive connections to one origin."""

    async def send(
        self, head: bytes, body: bytes, on_start: Callable[[PendingRequest], None] | None = None
    ) -> UpstreamResponse:
        """Send one request (serialized head and whole body) and wait for the first body byte.

        `on_start` gets the handle to cancel the request by while it waits. Raises UpstreamUnreachable if no connection
        can be had, UpstreamFailed if the upstream dies or stays silent before its first body byte.
        """

    async def close(self) -> None:
        """Close idle connections; those in use close when their response ends."""
