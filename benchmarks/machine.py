"""The machine a run was made on, and which of its cores do what."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """`gateway`: the one core every gateway runs on. `rest`: where load generator and mock run."""

    gateway: frozenset[int]
    rest: frozenset[int]

    def shared(self) -> bool:
        return bool(self.gateway & self.rest)


def choose_cores(available: frozenset[int]) -> Cores:
    """The last core for gateways, because the first usually serves interrupts; with a single core all share it."""
    ordered = sorted(available)
    return Cores(frozenset(ordered[-1:]), frozenset(ordered[:-1] or ordered))


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """This process, and everything it starts meanwhile, stays on `cores`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def describe() -> dict[str, str | int]:
    """What a reader needs in order to compare: cores, CPU, kernel, Python."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
