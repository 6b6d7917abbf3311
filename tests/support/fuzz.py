"""Clients that do everything wrong, and a few that do everything right: does a gateway stay itself?

`python -m tests.support.fuzz --requests 200000` starts a gateway of its own and prints what it saw. A conversation is
what one connection sends; the same seed makes the same conversations. What must hold:

- a well-formed request is answered, in order, and with its own answer, whatever was on its connection before;
- no answer reaches a connection that did not ask for it, and none is a 500;
- after each batch fresh connections are served; in the end files, tasks and memory are where they were.
"""

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from zlib import crc32

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, eventually, fleet_document

CHAT = "/v1/chat/completions"
QUIET_S = 0.02
"""How long a client that sent nonsense listens before it leaves."""
HANG_S = 20.0
BATCH = 500
CONCURRENT = 48
ALLOWED = frozenset({200, 400, 401, 403, 404, 405, 408, 413, 429, 431, 502, 503})
FAKES: tuple[dict[str, object], ...] = (
    {"do": "die"},
    {"do": "die", "when": "head"},
    {"do": "die", "when": "body"},
    {"do": "die", "when": "body", "framing": "sse"},
    {"do": "sse", "chunks": 2},
    {"do": "raw", "text": "garbage\r\n\r\n"},
    {
        "do": "raw",
        "text": "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx",
    },
    {"do": "raw", "text": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"},
    {"status": 503},
)
BAD_MODELS = 300
"""So many that there is always one whose circuit is closed."""


@dataclass(slots=True)
class Conversation:
    """What one connection sends. `expected`: markers that must be answered, in order; None: nonsense, come what may."""

    packets: list[bytes]
    requests: int
    number: int
    expected: list[str] | None = None
    leaves_early: bool = False


@dataclass(slots=True)
class Report:
    """What a run saw; `faults` are descriptions of what must not be."""

    requests: int = 0
    conversations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    canaries: int = 0
    seconds: float = 0.0
    files: tuple[int, int] = (0, 0)
    tasks: tuple[int, int] = (0, 0)
    rss_mb: tuple[float, float] = (0.0, 0.0)
    in_flight: float = 0.0

    def __str__(self) -> str:
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.requests} requests in {self.conversations} conversations, {self.seconds:.0f} s; "
            f"answers {statuses}; {self.canaries} canaries; "
            f"files {self.files[0]} -> {self.files[1]}, tasks {self.tasks[0]} -> {self.tasks[1]}, "
            f"memory {self.rss_mb[0]:.1f} -> {self.rss_mb[1]:.1f} MB, in flight {self.in_flight:g}; "
            f"{len(self.faults)} faults{''.join(chr(10) + fault for fault in self.faults[:10])}"
        )


# What is sent


class Sender:
    """Makes conversations. A marker carries a checksum, so that a damaged one is never taken for another's."""

    def __init__(self, key: str, rng: Random) -> None:
        self._key = key
        self._rng = rng
        self._kinds: list[Callable[[int], Conversation]] = [
            self._good, self._good, self._pipelined, self._damaged, self._damaged, self._with_nul, self._cut_short,
            self._bad_chunks, self._two_lengths, self._wrong_length, self._huge_head, self._noise, self._odd_but_legal,
            self._bad_upstream, self._good_then_bad,
        ]  # fmt: skip

    def conversation(self, number: int) -> Conversation:
        return self._rng.choice(self._kinds)(number)

    def marker(self, number: int, index: int) -> str:
        text = f"f{number}-{index}"
        return f"{text}-{crc32(text.encode()):08x}"

    def request(self, marker: str, *, chunked: bool = False, fake: dict[str, object] | None = None) -> bytes:
        rng = self._rng
        document: dict[str, object] = {
            "model": "good" if fake is None else f"bad-{rng.randrange(BAD_MODELS)}",
            "messages": [{"role": "user", "content": "x" * rng.choice((0, 1, 30, 500, 9000))}],
            "marker": marker,
        }
        if fake is not None:
            document["fake"] = {"*": fake}
        body = json.dumps(document).encode()
        lines = [f"POST {CHAT} HTTP/1.1", "host: gateway", f"authorization: Bearer {self._key}"]
        if rng.random() < 0.3:
            lines.append("x-filler: " + "y" * rng.choice((1, 100, 5000)))
        if chunked:
            head = "\r\n".join([*lines, "transfer-encoding: chunked", "", ""])
            return head.encode() + self._chunks(body)
        return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body

    def _chunks(self, body: bytes) -> bytes:
        pieces = self._split(body, self._rng.randint(1, 6))
        return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"

    def _split(self, data: bytes, count: int) -> list[bytes]:
        cuts = [0, *sorted(self._rng.randrange(len(data) + 1) for _ in range(count - 1)), len(data)]
        return [data[start:end] for start, end in pairwise(cuts)]

    def _packets(self, data: bytes) -> list[bytes]:
        count = self._rng.choice((1, 1, 1, 2, 3, 8))
        return [packet for packet in self._split(data, count) if packet]

    def _good(self, number: int) -> Conversation:
        marker = self.marker(number, 0)
        data = self.request(marker, chunked=self._rng.random() < 0.3)
        return Conversation(self._packets(data), 1, number, [marker])

    def _pipelined(self, number: int) -> Conversation:
        markers = [self.marker(number, index) for index in range(self._rng.randint(2, 7))]
        data = b"".join(self.request(marker, chunked=self._rng.random() < 0.3) for marker in markers)
        return Conversation(self._packets(data), len(markers), number, markers)

    def _good_then_bad(self, number: int) -> Conversation:
        """What comes behind a good request must not spoil its answer."""
        marker = self.marker(number, 0)
        tail = self._rng.choice(
            (self._rng.randbytes(40), b"GET /x HTTP/1.1\r\n\r\n", b"POST /half", b"\x00", b"\r\n\r\n")
        )
        return Conversation(self._packets(self.request(marker) + tail), 2, number, [marker])

    def _nonsense(self, data: bytes, number: int, requests: int = 1) -> Conversation:
        leaves = self._rng.random() < 0.3
        return Conversation(self._packets(data), requests, number, None, leaves_early=leaves)

    def _damaged(self, number: int) -> Conversation:
        data = bytearray(b"".join(self.request(self.marker(number, index)) for index in range(self._rng.randint(1, 3))))
        for _ in range(self._rng.randint(1, 4)):
            place = self._rng.randrange(len(data))
            match self._rng.randrange(4):
                case 0:
                    data[place] = self._rng.randrange(256)
                case 1:
                    data[place:place] = self._rng.randbytes(self._rng.randint(1, 5))
                case 2:
                    del data[place : place + self._rng.randint(1, 9)]
                case _:
                    data[place:place] = data[place : place + self._rng.randint(1, 60)]
        return self._nonsense(bytes(data), number)

    def _with_nul(self, number: int) -> Conversation:
        data = self.request(self.marker(number, 0))
        place = self._rng.randrange(min(len(data), 160))
        return self._nonsense(data[:place] + b"\x00" + data[place:], number)

    def _cut_short(self, number: int) -> Conversation:
        data = self.request(self.marker(number, 0), chunked=self._rng.random() < 0.3)
        return self._nonsense(data[: self._rng.randrange(1, len(data))], number)

    def _bad_chunks(self, number: int) -> Conversation:
        bad = self._rng.choice(
            (
                b"zz\r\n",
                b"-5\r\nabcde\r\n",
                b"5\r\nab\r\n0\r\n\r\n",
                b"ffffffffffffffffff\r\n",
                b"3\r\nabcX\r\n",
                b"\r\n\r\n",
            )
        )
        head = self.request(self.marker(number, 0), chunked=True).split(b"\r\n\r\n", 1)[0]
        return self._nonsense(head + b"\r\n\r\n" + bad + self.request(self.marker(number, 1)), number, 2)

    def _two_lengths(self, number: int) -> Conversation:
        lines = [b"content-length: %d" % self._rng.randrange(60), b"transfer-encoding: chunked"]
        self._rng.shuffle(lines)
        head = b"POST %b HTTP/1.1\r\nhost: a\r\n" % CHAT.encode() + b"\r\n".join(lines) + b"\r\n\r\n"
        return self._nonsense(head + b"0\r\n\r\n" + self.request(self.marker(number, 0)), number, 2)

    def _wrong_length(self, number: int) -> Conversation:
        data = self.request(self.marker(number, 0))
        head, body = data.split(b"\r\n\r\n", 1)
        told = self._rng.choice((0, len(body) - 1, len(body) + 1, len(body) * 2, 10**9, 10**30))
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"content-length"))
        return self._nonsense(head + b"\r\ncontent-length: %d\r\n\r\n" % told + body, number)

    def _huge_head(self, number: int) -> Conversation:
        big = self._rng.choice(
            (
                b"x: " + b"y" * 40_000,
                b"x: y\r\n" * 7000,
                b"y" * 50_000,
                b"GET /" + b"y" * 40_000,
                b"x:" + b"\t" * 40_000,
            )
        )
        return self._nonsense(b"GET /v1/models HTTP/1.1\r\nhost: a\r\n" + big, number)

    def _noise(self, number: int) -> Conversation:
        return self._nonsense(self._rng.randbytes(self._rng.choice((1, 10, 300, 5000))), number)

    def _odd_but_legal(self, number: int) -> Conversation:
        data = self._rng.choice(
            (
                b"GET /v2/health/live HTTP/1.0\r\n\r\n",
                b"HEAD /v2/health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
                b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
                b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x01x",
                b"\r\n\r\nGET /v2/health/live HTTP/1.1\r\nhost: a\r\n\r\n",
            )
        )
        return self._nonsense(data, number)

    def _bad_upstream(self, number: int) -> Conversation:
        return self._nonsense(self.request(self.marker(number, 0), fake=self._rng.choice(FAKES)), number)


# What comes back


def read_answers(data: bytes, *, at_end: bool) -> tuple[list[tuple[int, bytes]], str | None]:
    """(status, body) of each whole answer in a connection's bytes, and what is wrong with them as HTTP, if anything.

    An answer cut by the end of its connection is legal: that is how a gateway says that an upstream died.
    """
    answers: list[tuple[int, bytes]] = []
    while data:
        head, mark, rest = data.partition(b"\r\n\r\n")
        if not mark:
            return answers, f"half a head: {data[:80]!r}" if at_end else None
        if not head.startswith(b"HTTP/1.1 "):
            return answers, f"not an answer: {data[:80]!r}"
        status = int(head[9:12])
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if status == 100:
            data = rest
            continue
        body = _chunked_body(rest) if b"transfer-encoding" in fields else _sized_body(rest, fields)
        if body is None:
            return answers, None
        answers.append((status, body[0]))
        data = body[1]
    return answers, None


def _sized_body(rest: bytes, fields: dict[bytes, bytes]) -> tuple[bytes, bytes] | None:
    size = int(fields.get(b"content-length", b"0"))
    return (rest[:size], rest[size:]) if len(rest) >= size else None


def _chunked_body(rest: bytes) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        line, mark, after = rest.partition(b"\r\n")
        if not mark:
            return None
        size = int(line, 16)
        if len(after) < size + 2:
            return None
        body += after[:size]
        rest = after[size + 2 :]
        if not size:
            return body, rest


def markers_in(body: bytes) -> list[str]:
    """The undamaged markers that an answer carries."""
    found = []
    for part in body.split(b'"marker": "')[1:]:
        marker = part.split(b'"', 1)[0].decode("latin-1")
        text, _, check = marker.rpartition("-")
        if check == f"{crc32(text.encode('latin-1')):08x}":
            found.append(marker)
    return found


class Client(asyncio.Protocol):
    """One connection of a run: sends its packets one by one, and ends when it has what it came for."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = False

    @property
    def received(self) -> bytes:
        return b"".join(self._pieces)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        expected = self._conversation.expected
        if expected is not None and len(read_answers(self.received, at_end=False)[0]) >= len(expected):
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._finish()

    async def talk(self) -> None:
        """Returns when it is over. Raises TimeoutError when a good request hangs."""
        assert self._transport is not None
        for packet in self._conversation.packets:
            self._transport.write(packet)
            await asyncio.sleep(0)
        if self._conversation.expected is None:
            limit_s = 0.0 if self._conversation.leaves_early else QUIET_S
            await asyncio.wait([self.done], timeout=limit_s)
        else:
            await asyncio.wait_for(self.done, HANG_S)
        self._transport.abort()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


def judge(conversation: Conversation, received: bytes, *, ended: bool, statuses: Counter[int]) -> str | None:
    """What is wrong with what came back, if anything."""
    answers, wrong = read_answers(received, at_end=ended and conversation.expected is not None)
    statuses.update(status for status, _ in answers)
    if wrong is not None and not received.startswith(b"HTTP/1.1 2") and b"HEAD " not in b"".join(conversation.packets):
        return wrong
    strange = {status for status, _ in answers} - ALLOWED
    if strange:
        return f"answered {strange}"
    got = [marker for _, body in answers for marker in markers_in(body)[:1]]
    if any(not marker.startswith(f"f{conversation.number}-") for marker in got):
        return f"got somebody else's answer: {got}"
    if conversation.expected is None:
        numbers = [int(marker.split("-")[1]) for marker in got]
        return f"answers out of order: {got}" if numbers != sorted(numbers) else None
    good = answers[: len(conversation.expected)]
    if got[: len(good)] != conversation.expected or any(status != 200 for status, _ in good):
        return f"expected {conversation.expected}, got {[(status, body[:60]) for status, body in answers]}"
    return None


async def converse(port: int, conversation: Conversation, report: Report) -> None:
    loop = asyncio.get_running_loop()
    try:
        _, client = await loop.create_connection(lambda: Client(conversation), "127.0.0.1", port)
        await client.talk()
    except TimeoutError:
        report.faults.append(f"#{conversation.number} hangs: {conversation.packets!r:.300}")
        return
    except OSError as exc:
        report.faults.append(f"#{conversation.number} was not let in: {exc}")
        return
    fault = judge(conversation, client.received, ended=client.ended, statuses=report.statuses)
    if fault is not None:
        report.faults.append(f"#{conversation.number} {fault}; sent {b''.join(conversation.packets)!r:.300}")


async def run_batch(port: int, batch: list[Conversation], report: Report) -> None:
    waiting = iter(batch)

    async def one_after_another() -> None:
        for conversation in waiting:
            await converse(port, conversation, report)

    await asyncio.gather(*(one_after_another() for _ in range(CONCURRENT)))
    report.conversations += len(batch)
    report.requests += sum(conversation.requests for conversation in batch)


def fuzz(gateway: GatewayProcess, key: str, requests: int, seed: int) -> Report:
    """Send at least this many requests. The first tenth warms up what memory is compared with."""
    rng, report = Random(seed), Report()
    sender = Sender(key, rng)
    number = 0
    started_s = time.monotonic()
    files, tasks = gateway.open_files(), int(gateway.metrics()["edgemind_gateway_tasks"])
    warm_mb = 0.0
    while report.requests < requests:
        batch = [sender.conversation(number + index) for index in range(BATCH)]
        number += BATCH
        asyncio.run(run_batch(gateway.port, batch, report))
        if gateway.process.poll() is not None:
            report.faults.append(f"the gateway ended with code {gateway.process.returncode}")
            return report
        canaries = [sender._good(number + index) for index in range(5)]
        number += len(canaries)
        asyncio.run(run_batch(gateway.port, canaries, report))
        report.canaries += len(canaries)
        if not warm_mb and report.requests >= requests / 10:
            warm_mb = gateway.rss_mb()
        if len(report.faults) > 20:
            break
    report.rss_mb = warm_mb, gateway.rss_mb()
    eventually("the connections are closed", lambda: gateway.open_files() <= files + MORE_FILES)
    eventually("the tasks are over", lambda: gateway.metrics()["edgemind_gateway_tasks"] <= tasks)
    report.files = files, gateway.open_files()
    report.tasks = tasks, int(gateway.metrics()["edgemind_gateway_tasks"])
    metrics = gateway.metrics()
    report.in_flight = sum(value for name, value in metrics.items() if name.startswith("edgemind_gateway_in_flight"))
    if "Traceback" in gateway.log():
        report.faults.append(gateway.log()[gateway.log().index("Traceback") :][:2000])
    report.seconds = time.monotonic() - started_s
    return report


MORE_FILES = CONCURRENT
"""Upstream connections stay open for the next requests: as many as there were requests at once, at most."""


@contextmanager
def target(path: Path) -> Iterator[tuple[GatewayProcess, str]]:
    """A gateway with short limits before the models `good` and `bad-N`, whose server misbehaves when told to."""
    with FakeUpstreams("a") as upstreams:
        models = [
            {"name": name, "base_url": upstreams.url("a"), "slots": 1000, "service_ms": 5}
            for name in ("good", *(f"bad-{number}" for number in range(BAD_MODELS)))
        ]
        limits = {
            "max_body_bytes": 65536,
            "header_timeout_s": 2,
            "idle_timeout_s": 3,
            "max_connections": 1000,
            "drain_s": 0,
        }
        folder = FleetFolder(path, fleet_document([{"name": "site-a", "models": models}], limits=limits))
        key = folder.new_key("demo")
        with GatewayProcess(folder, "site-a", "--port", "0") as gateway:
            yield gateway, key


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # It would warn about every connection that one side left early, which is what this is about.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as path, target(Path(path)) as (gateway, key):
        report = fuzz(gateway, key, options.requests, options.seed)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
