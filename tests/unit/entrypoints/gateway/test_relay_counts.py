"""What a relay counts of an answer, driven by hand on both sides."""

from collections.abc import Sequence

import pytest

from edgemind.domain.limits import Limits
from edgemind.domain.requests import Reason
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import RequestHeads
from edgemind.entrypoints.gateway.relay import Relay, Relays
from edgemind.ports.inference import AnswerSink, UpstreamResponse
from edgemind.services.gateway_stats import GatewayStats
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import endpoint, fleet, head, record, router, site


class Client:
    """Takes everything at once."""

    def write(self, data: bytes) -> bool:
        return True

    def answered(self, exchange: Exchange) -> None: ...

    def abort(self) -> None: ...

    def reset(self) -> None: ...


class Server:
    """An upstream that answers when the test says so, and the request it has under way."""

    def request(self, head: bytes, body: bytes, sink: AnswerSink) -> "Server":
        return self

    async def send(self, head: bytes, body: bytes) -> UpstreamResponse:
        raise NotImplementedError

    async def close(self) -> None: ...

    def cancel(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Whole:
    def __init__(self, status: int = 200, *, complete: bool = True) -> None:
        self.status, self.complete = status, complete
        self.headers: Sequence[tuple[bytes, bytes]] = ((b"content-length", b"2"),)

    def take(self) -> bytes:
        return b"{}"


class Scene:
    """One request with a deadline of 1000 ms on its way to its only server."""

    def __init__(self) -> None:
        self.clock, self.stats = ManualClock(), GatewayStats()
        of = router(fleet(site("site-a", endpoint())), self.clock)
        shared = Relays(of, lambda url: Server(), RequestHeads("site-a", "token"), self.stats, Limits(), self.clock)
        exchange = Exchange(Client(), head(), b"{}", 0.0, b"", True)
        kept = record(of)
        self.relay = Relay(shared, exchange, kept, forwarded=False)
        self.relay.begin((kept.candidates.members[0], Reason.TABLE))

    @property
    def counted(self) -> tuple[int, int, int]:
        """(ok, late, failed)"""
        return self.stats.ok, self.stats.late, self.stats.failed


@pytest.mark.parametrize(
    ("after_s", "status", "counted"),
    [(1.0, 200, (1, 0, 0)), (1.001, 200, (1, 1, 0)), (1.001, 404, (1, 1, 0)), (1.001, 500, (0, 0, 1))],
)
def test_an_answer_after_its_deadline_is_late_and_still_ok(
    after_s: float, status: int, counted: tuple[int, int, int]
) -> None:
    scene = Scene()
    scene.clock.advance(after_s)
    scene.relay.on_answer(Whole(status))
    assert scene.counted == counted


def test_the_last_byte_counts_not_the_first() -> None:
    scene = Scene()
    scene.clock.advance(0.5)
    scene.relay.on_answer(Whole(complete=False))
    assert scene.counted == (0, 0, 0)
    scene.clock.advance(0.6)
    scene.relay.on_end()
    assert scene.counted == (1, 1, 0)


def test_a_slow_reader_is_late_by_itself() -> None:
    scene = Scene()
    scene.relay.on_answer(Whole(complete=False))
    scene.relay.pause()
    scene.clock.advance(5.0)
    scene.relay.on_end()
    assert scene.counted == (1, 0, 0)
