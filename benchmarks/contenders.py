"""Bringing peers up in front of one set of mock model servers, each proven by a right answer before it counts."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.connection import Address
from benchmarks.load import closed_loop
from benchmarks.machine import Cores
from benchmarks.payloads import Exchange, json_exchange, stream_exchange
from benchmarks.peers.base import Bench, Peer, StartError
from benchmarks.processes import Running, free_port, running, wait_until

UPSTREAMS = 3
_START_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that answers at `address`; `pid` roots the process tree that is accounted, None for the mock itself."""

    name: str
    address: Address
    pid: int | None
    plain: Exchange
    streamed: Exchange


def contender_at(name: str, port: int, pid: int | None, key: str) -> Contender:
    host = f"127.0.0.1:{port}"
    return Contender(name, ("127.0.0.1", port), pid, json_exchange(host, key), stream_exchange(host, key))


def answers_rightly(contender: Contender) -> bool:
    try:
        plain = closed_loop(contender.address, contender.plain, connections=1, count=1, limit_s=2.0)
        streamed = closed_loop(contender.address, contender.streamed, connections=1, count=1, limit_s=2.0)
    except OSError:
        return False
    return plain.answered() == 1 and streamed.answered() == 1


@dataclass(slots=True)
class Stage:
    """The mock model servers of one run, and where peers are put in front of them."""

    directory: Path
    environments: Path
    cores: Cores
    ports: Sequence[int]
    mock: Running

    def direct(self) -> Contender:
        """The first mock itself, without any gateway: the zero of every latency."""
        return contender_at("direct", self.ports[0], None, "none")

    def start(self, peer: Peer, stack: ExitStack) -> Contender:
        """Start `peer` until `stack` closes. Raises StartError with the reason if it does not answer rightly."""
        directory = self.directory / peer.name
        directory.mkdir()
        port = free_port()
        launch = peer.prepare(Bench(directory, port, self.ports, self.environments))
        for number, command in enumerate(launch.companions):
            stack.enter_context(running(command, self.cores.rest, directory / f"companion-{number}.log"))
        log = directory / "log"
        process = stack.enter_context(running(launch.command, self.cores.gateway, log))
        contender = contender_at(peer.name, port, process.pid, launch.key)
        wait_until(lambda: answers_rightly(contender), process, log, _START_TIMEOUT_S)
        return contender


def _start_mock(stack: ExitStack, directory: Path, cores: Cores, chunk_ms: float) -> tuple[Sequence[int], Running]:
    ports = [free_port() for _ in range(UPSTREAMS)]
    log = directory / "mock.log"
    arguments = ["--ports", ",".join(map(str, ports)), "--chunk-ms", str(chunk_ms)]
    process: Running = stack.enter_context(
        running([sys.executable, "-m", "benchmarks.mock_upstream", *arguments], cores.rest, log)
    )
    direct = contender_at("direct", ports[-1], None, "none")
    wait_until(lambda: answers_rightly(direct), process, log, 10.0)
    return ports, process


@contextmanager
def stage(directory: Path, environments: Path, cores: Cores, chunk_ms: float) -> Iterator[tuple[Stage, ExitStack]]:
    """The mock running; everything started on the yielded stack is stopped at the end."""
    with ExitStack() as stack:
        ports, mock = _start_mock(stack, directory, cores, chunk_ms)
        yield Stage(directory, environments, cores, ports, mock), stack


__all__ = ["Contender", "Stage", "StartError", "answers_rightly", "contender_at", "stage"]
