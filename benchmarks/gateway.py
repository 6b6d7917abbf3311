"""`benchmarks gateway`: start everyone, measure in interleaved rounds, print and write the result."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns

from benchmarks.accounting import cpu_ns, machine_busy_ns
from benchmarks.contenders import Contender, Stage, stage
from benchmarks.machine import choose_cores, pinned
from benchmarks.peers.base import Peer, StartError
from benchmarks.rounds import Plan, run_rounds
from benchmarks.rows import Outcome, outcome_of

Progress = Callable[[str], None]


@dataclass(slots=True)
class Others:
    """Share of all cores' time that went to processes that are not this benchmark's: the noise of a run."""

    cpu_ratio: float = 0.0


@contextmanager
def others_watched(cores: int) -> Iterator[Others]:
    others = Others()
    started_ns, busy_ns, own_ns = perf_counter_ns(), machine_busy_ns(), cpu_ns(os.getpid())
    yield others
    elapsed_ns = (perf_counter_ns() - started_ns) * cores
    used_ns = machine_busy_ns() - busy_ns - (cpu_ns(os.getpid()) - own_ns)
    others.cpu_ratio = max(0.0, used_ns / elapsed_ns)


def start_all(
    peers: Sequence[Peer], place: Stage, stack: ExitStack, progress: Progress
) -> tuple[list[Contender], dict[str, str]]:
    started: list[Contender] = []
    not_started: dict[str, str] = {}
    for peer in peers:
        own = ExitStack()
        try:
            started.append(place.start(peer, own))
            stack.push(own.pop_all())
        except StartError as failed:
            own.close()
            not_started[peer.name] = str(failed)
        progress(f"{peer.name}: {not_started.get(peer.name, 'started')}")
    return started, not_started


def measure_gateways(
    peers: Sequence[Peer],
    plan: Plan,
    chunk_ms: float,
    environments: Path,
    cores_available: frozenset[int],
    progress: Progress,
) -> Outcome:
    """Run the whole comparison. Nothing that was started outlives the call.

    Raises StartError if the mock model servers do not start or do not last: without them nothing was measured.
    """
    cores = choose_cores(cores_available)
    with (
        TemporaryDirectory(prefix="edgemind-bench-") as directory,
        stage(Path(directory), environments, cores, chunk_ms) as (place, stack),
        pinned(cores.rest),
    ):
        started, not_started = start_all(peers, place, stack, progress)
        with others_watched(len(cores_available)) as others:
            records = run_rounds([*started, place.direct()], plan, progress)
        if records[-1].failure is not None:
            ended = place.mock.exit_status()
            state = "still run" if ended is None else f"ended with status {ended}"
            raise StartError(f"the mock model servers failed ({state}), so nothing was measured: {records[-1].failure}")
    return outcome_of(records, not_started, others.cpu_ratio)
