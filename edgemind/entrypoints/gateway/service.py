"""What the connections of one worker share: how requests are served, their limits, and default headers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from edgemind.domain.limits import Limits
from edgemind.entrypoints.gateway.exchange import Exchange, header_block
from edgemind.entrypoints.gateway.heads import SeenHeads
from edgemind.entrypoints.gateway.reading import Preflight


@dataclass(slots=True)
class Draining:
    """Shared by the connections of a worker: once set, every response carries `Connection: close`."""

    started: bool = False


class DefaultLines:
    """uvicorn's default headers (the date), serialized once for each new list that it makes of them."""

    def __init__(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._lines = b""

    def serialized(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        if headers is not self._headers:
            self._headers, self._lines = headers, header_block(headers)
        return self._lines


@dataclass(frozen=True, slots=True)
class Service:
    """What the connections of a worker serve with."""

    serve: Callable[[Exchange], None]
    preflight: Preflight
    limits: Callable[[], Limits]
    draining: Draining
    seen: SeenHeads = field(default_factory=SeenHeads)
    lines: DefaultLines = field(default_factory=DefaultLines)
