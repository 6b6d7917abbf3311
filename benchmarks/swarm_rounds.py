"""`benchmarks rounds`: how long rounds take between real controller processes, one after another, on a file store."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.accounting import cpu_ns, machine_busy_ns
from benchmarks.metro import Metro, metro
from benchmarks.peers.base import StartError
from edgemind.domain.samples import quantile

SITES = ("site-a", "site-b", "site-c")
SETTLE_S = 0.05
"""Between two rounds: announcements of the one are not to be the load of the next."""
_ASKED_S, _LOOK_S = 10.0, 0.01
_WARM_UP_ROUNDS = 5
BLOCKS = 2
SAMPLED = 20


@dataclass(frozen=True, slots=True)
class RoundTimes:
    """`decided_ms`: as the coordinator that decided kept it, since the breach; of rounds that a quorum decided.

    `others_cpu_ratio` is the share of the machine that other processes took meanwhile, in [0, 1].
    """

    rounds: int
    decided_ms: list[float]
    timed_out: int
    unknown: int
    store_ms: dict[str, float]
    others_cpu_ratio: float
    voters: dict[str, int] = field(default_factory=dict)
    """Ballots by voter, of the newest rounds."""

    @property
    def p50_ms(self) -> float | None:
        return quantile(self.decided_ms, 0.5)

    @property
    def p99_ms(self) -> float | None:
        return quantile(self.decided_ms, 0.99)


def measure_voters(
    voters: Sequence[str], rounds: int, cores: frozenset[int], progress: Callable[[str], None]
) -> dict[str, RoundTimes]:
    """By voter. More than one take turns, block by block: what else the machine does meets them alike."""
    blocks = 1 if len(voters) == 1 else BLOCKS
    taken: dict[str, list[RoundTimes]] = {voter: [] for voter in voters}
    for number in range(blocks):
        for voter in voters:
            progress(f"{voter}, block {number + 1} of {blocks}")
            taken[voter].append(measure_rounds(rounds // blocks, cores, progress, voter))
    return {voter: together(parts) for voter, parts in taken.items()}


def together(parts: Sequence[RoundTimes]) -> RoundTimes:
    """Blocks as one measurement; of what is a mean already, the mean."""
    return RoundTimes(
        rounds=sum(part.rounds for part in parts),
        decided_ms=[ms for part in parts for ms in part.decided_ms],
        timed_out=sum(part.timed_out for part in parts),
        unknown=sum(part.unknown for part in parts),
        store_ms={site: fmean(part.store_ms[site] for part in parts) for site in parts[0].store_ms},
        others_cpu_ratio=fmean(part.others_cpu_ratio for part in parts),
        voters=dict(sum((Counter(part.voters) for part in parts), Counter())),
    )


def measure_rounds(
    rounds: int, cores: frozenset[int], progress: Callable[[str], None], voter: str = "library"
) -> RoundTimes:
    """Each site is asked in turn. Raises StartError if the metro does not come up, or a round never ends."""
    with (
        TemporaryDirectory(prefix="edgemind-bench-") as directory,
        metro(Path(directory), SITES, cores, voter) as found,
    ):
        for number in range(_WARM_UP_ROUNDS):
            _decide_one(found, SITES[number % len(SITES)])
        first, before = _known(found, SITES[0]), _usage()
        for number in range(rounds):
            if number % 50 == 0:
                progress(f"{number} of {rounds} rounds")
            _decide_one(found, SITES[number % len(SITES)])
        others_cpu_ratio = _others(before, _usage())
        kept = _newest(found, rounds)
        status = {site: _swarm(found, site) for site in SITES}
        voters = _who_voted(found, kept[:SAMPLED])
    measured = [one for one in kept if one["n"] > first]
    voted = [one for one in measured if not one["timed_out"]]
    return RoundTimes(
        rounds=len(measured),
        decided_ms=[one["decided_ms"] for one in voted if one["decided_ms"] is not None],
        timed_out=len(measured) - len(voted),
        unknown=sum(one["decided_ms"] is None for one in voted),
        store_ms={site: swarm["store_ms"] for site, swarm in status.items()},
        others_cpu_ratio=others_cpu_ratio,
        voters=voters,
    )


def _who_voted(found: Metro, kept: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Ballots by who gave them: that the voter that was asked for did vote is no matter of belief."""
    voted: Counter[str] = Counter()
    for one in kept:
        record = found.get(SITES[0], f"/rounds/{one['fence']}") or {}
        voted.update(vote["voter"] for vote in record.get("votes", {}).values())
    return dict(voted)


def _decide_one(found: Metro, opener: str) -> None:
    """Ask until the opener knows a newer round than before: while one is under way nothing follows from asking."""
    before, give_up_s, again_s = _known(found, opener), time.monotonic() + _ASKED_S, 0.0
    while _known(found, opener) <= before:
        now_s = time.monotonic()
        if now_s > give_up_s:
            raise StartError(f"{opener} was asked for a round, and none was decided within {_ASKED_S:.0f} s")
        if now_s > again_s:
            found.force(opener)
            again_s = now_s + 1.0
        time.sleep(_LOOK_S)
    time.sleep(SETTLE_S)


def _usage() -> tuple[int, int, int]:
    """Time, what all cores did, and what this benchmark with its processes did, in nanoseconds."""
    return time.monotonic_ns(), machine_busy_ns(), cpu_ns(os.getpid())


def _others(before: tuple[int, int, int], after: tuple[int, int, int]) -> float:
    took_ns, busy_ns, own_ns = (late - early for early, late in zip(before, after, strict=True))
    return max(0.0, (busy_ns - own_ns) / (took_ns * (os.cpu_count() or 1)))


def _swarm(found: Metro, site: str) -> dict[str, Any]:
    document = found.get(site, f"/sites/{site}")
    if document is None or document.get("swarm") is None:
        raise StartError(f"the controller of {site} does not take part in rounds")
    swarm: dict[str, Any] = document["swarm"]
    return swarm


def _known(found: Metro, site: str) -> int:
    """The number of the newest round that a site knows; the epoch is 1 all the time."""
    return int(_swarm(found, site)["known"].partition(".")[2])


def _newest(found: Metro, limit: int) -> list[dict[str, Any]]:
    """Rounds as the whole fleet tells them, the newest first."""
    rounds: list[dict[str, Any]] = []
    cursor = ""
    while len(rounds) < limit:
        page = found.get(SITES[0], f"/rounds?limit=100{cursor}")
        if page is None:
            raise StartError("the rounds cannot be read any more")
        rounds += page["rounds"]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    return rounds[:limit]
