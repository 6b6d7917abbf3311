"""What a peer is: how it is started in front of the same upstreams as all the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import StartError


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a peer is set up: `directory` is its own and empty, `port` the one it has to serve on.

    `upstream_ports` are the mock model servers on 127.0.0.1. `environments` is the folder of the virtual environments
    of peers that cannot share ours.
    """

    directory: Path
    port: int
    upstream_ports: Sequence[int]
    environments: Path

    def upstream_urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.upstream_ports]


@dataclass(frozen=True, slots=True)
class Launch:
    """The command that serves, the bearer key its clients send, and helpers to run beside it on the other cores."""

    command: Sequence[str]
    key: str = "em_00000000_bench-key-of-ordinary-length-0000"
    companions: Sequence[Sequence[str]] = ()


Prepare = Callable[[Bench], Launch]
"""Writes what the peer needs into `Bench.directory`. Raises StartError with the reason if it cannot be had here."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`about` is one line for the report: which product in which setting."""

    name: str
    about: str
    prepare: Prepare


__all__ = ["Bench", "Launch", "Peer", "Prepare", "StartError"]
