"""`benchmarks memory`: resident memory of one gateway over many requests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accounting import rss_mb
from benchmarks.contenders import Contender, stage
from benchmarks.load import closed_loop
from benchmarks.machine import choose_cores, pinned
from benchmarks.peers.base import Peer, StartError

_STREAM_SHARE = 50
"""One request in this many is streamed."""


@dataclass(frozen=True, slots=True)
class MemorySample:
    requests: int
    rss_mb: float
    errors: int


def growth_ratio(samples: list[MemorySample]) -> float:
    """Largest growth after the first tenth of the requests (caches and pools fill there), as a ratio of its end."""
    warm_after = samples[-1].requests / 10
    settled = [sample for sample in samples if sample.requests >= warm_after]
    return max(sample.rss_mb for sample in settled) / settled[0].rss_mb - 1


def _block(contender: Contender, requests: int) -> int:
    streams = requests // _STREAM_SHARE
    plain = closed_loop(contender.address, contender.plain, 64, requests - streams)
    streamed = closed_loop(contender.address, contender.streamed, 64, streams) if streams else None
    return plain.errors.total() + (streamed.errors.total() if streamed else 0)


def measure_memory(
    peer: Peer,
    requests: int,
    samples: int,
    environments: Path,
    cores_available: frozenset[int],
    progress: Callable[[str], None],
) -> list[MemorySample]:
    """RSS at the start and after each of `samples` blocks. Raises StartError if the gateway does not start or ends."""
    cores = choose_cores(cores_available)
    with (
        TemporaryDirectory(prefix="edgemind-bench-") as directory,
        stage(Path(directory), environments, cores, chunk_ms=2.0) as (place, stack),
        pinned(cores.rest),
    ):
        contender = place.start(peer, stack)
        assert contender.pid is not None
        taken = [MemorySample(0, rss_mb(contender.pid), 0)]
        for number in range(1, samples + 1):
            try:
                errors = _block(contender, requests // samples)
            except (ConnectionError, TimeoutError) as gone:
                raise StartError(f"{peer.name} stopped answering: {gone}") from gone
            taken.append(MemorySample(number * (requests // samples), rss_mb(contender.pid), errors))
            progress(f"{taken[-1].requests} requests: {taken[-1].rss_mb:.1f} MB")
    return taken
