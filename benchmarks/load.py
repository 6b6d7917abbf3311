"""Closed-loop and open-loop load from one thread over epoll, so that the client costs little beside a gateway."""

import gc
import select
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from benchmarks.connection import Address, Connection
from benchmarks.payloads import Exchange

_STALL_S = 10.0
_SPIN_NS = 1_200_000
"""epoll counts in whole milliseconds; the rest of a wait is spun, so that a request leaves when it is due."""
_MAX_CONNECTIONS = 256


@dataclass(slots=True)
class LoadResult:
    """What came back. Times are of right answers only, in nanoseconds from the send; errors are counted by reason.

    `connections_opened` beyond those asked for tells that the other side closes them: then it is not only requests
    that are measured.
    """

    duration_s: float = 0.0
    latency_ns: list[int] = field(default_factory=list)
    first_body_ns: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    connections_opened: int = 0

    def answered(self) -> int:
        return len(self.latency_ns)

    def finished(self) -> int:
        return self.answered() + self.errors.total()

    def rate_per_s(self) -> float:
        return self.answered() / self.duration_s if self.duration_s else 0.0


@contextmanager
def _uncollected() -> Iterator[None]:
    """The client's own garbage collection is not the gateway's latency."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Load:
    """The connections of one run and what they have brought in so far."""

    def __init__(self, address: Address, exchange: Exchange, connections: int) -> None:
        self.result = LoadResult()
        self.idle: deque[Connection] = deque()
        self._address = address
        self._exchange = exchange
        self._epoll = select.epoll()
        self._busy: dict[int, Connection] = {}
        for _ in range(connections):
            self._open()

    def _open(self) -> None:
        connection = Connection(self._address)
        self.result.connections_opened += 1
        self._epoll.register(connection.socket.fileno(), select.EPOLLIN)
        self.idle.append(connection)

    def busy(self) -> int:
        return len(self._busy)

    def send(self) -> None:
        """Send one request on the connection that has rested longest, or on a new one if all are in use."""
        if not self.idle:
            if len(self._busy) >= _MAX_CONNECTIONS:
                self.result.errors["no free connection"] += 1
                return
            self._open()
        connection = self.idle.popleft()
        self._busy[connection.socket.fileno()] = connection
        connection.send(self._exchange)

    def take(self, timeout_s: float) -> int:
        """Wait at most `timeout_s` for bytes and read them once; returns how many answers that completed."""
        completed = 0
        for fd, _ in self._epoll.poll(timeout_s):
            connection = self._busy.get(fd)
            if connection is None:
                self._drop_idle(fd)
            elif connection.receive():
                completed += 1
                self._finish(fd, connection)
        return completed

    def _finish(self, fd: int, connection: Connection) -> None:
        del self._busy[fd]
        if connection.failure is None:
            self.result.latency_ns.append(connection.done_ns - connection.sent_ns)
            self.result.first_body_ns.append(connection.first_body_ns - connection.sent_ns)
        else:
            self.result.errors[connection.failure] += 1
        if connection.reusable():
            self.idle.append(connection)
        else:
            self._replace(fd, connection)

    def _drop_idle(self, fd: int) -> None:
        """Something arrived on a connection that awaits nothing: the gateway closed it, which it may."""
        for connection in list(self.idle):
            if connection.socket.fileno() == fd:
                self.idle.remove(connection)
                self._replace(fd, connection)

    def _replace(self, fd: int, connection: Connection) -> None:
        self._epoll.unregister(fd)
        connection.close()
        self._open()

    def close(self) -> None:
        if self._busy:
            self.result.errors["no answer"] += len(self._busy)
        for connection in (*self.idle, *self._busy.values()):
            connection.close()
        self._epoll.close()


def _drain(load: _Load) -> None:
    last_ns = time.perf_counter_ns()
    while load.busy() and time.perf_counter_ns() - last_ns < _STALL_S * 1e9:
        if load.take(0.1):
            last_ns = time.perf_counter_ns()


def closed_loop(
    address: Address, exchange: Exchange, connections: int, count: int, limit_s: float = 60.0
) -> LoadResult:
    """Keep `connections` requests in flight until `count` were sent or `limit_s` has passed.

    Raises OSError if nothing listens at `address`.
    """
    load = _Load(address, exchange, min(connections, count))
    try:
        with _uncollected():
            started_ns = last_ns = time.perf_counter_ns()
            sent = 0
            while sent < count and (last_ns - started_ns) < limit_s * 1e9:
                while load.idle and sent < count:
                    load.send()
                    sent += 1
                completed = load.take(1.0)
                now_ns = time.perf_counter_ns()
                if completed:
                    last_ns = now_ns
                elif now_ns - last_ns > _STALL_S * 1e9:
                    break
            _drain(load)
            load.result.duration_s = (time.perf_counter_ns() - started_ns) / 1e9
    finally:
        load.close()
    return load.result


def open_loop(
    address: Address, exchange: Exchange, rate_per_s: float, count: int, rng: Random, connections: int = 16
) -> LoadResult:
    """Send `count` requests at Poisson times, whether or not earlier ones were answered.

    Random gaps, because even ones could fall in step with a gateway's own timers. Raises OSError as `closed_loop` does.
    """
    load = _Load(address, exchange, connections)
    try:
        with _uncollected():
            started_ns = time.perf_counter_ns()
            due_ns = float(started_ns)
            for _ in range(count):
                due_ns += rng.expovariate(rate_per_s) * 1e9
                while (wait_ns := due_ns - time.perf_counter_ns()) > 0:
                    # Spun only while nothing is out: the mock may need this core to answer what is.
                    spun_ns = 0 if load.busy() else _SPIN_NS
                    load.take(max(0.0, (wait_ns - spun_ns) / 1e9))
                load.send()
            _drain(load)
            load.result.duration_s = (time.perf_counter_ns() - started_ns) / 1e9
    finally:
        load.close()
    return load.result
