"""Many metros with one site broken, and many with messages lost: how soon everybody knows, and how often wrongly."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any

from edgemind.domain.samples import quantile
from edgemind.simulation.membership_world import Change, Fault, MembershipDelays, MembershipWorld

LOST_RATIOS = (0.001, 0.01, 0.05)
QUIET_MS, BROKEN_MS, AFTER_MS = 1500.0, 4000.0, 3000.0
"""Before a fault, how long it lasts, and how long its end is watched."""
LOSSY_MS = 20_000.0
_HOUR_MS = 3_600_000.0


@dataclass(slots=True)
class FaultTally:
    """`detected_ms`: from the fault until one of the others suspects the site, `everywhere_ms` until all do, `back_ms`
    from its end until nobody does. `missed`: others that never did, `lasting`: seeds after which somebody still did.
    `bystanders`: times that a healthy site was suspected by another healthy one."""

    seeds: int = 0
    detected_ms: list[float] = field(default_factory=list)
    everywhere_ms: list[float] = field(default_factory=list)
    back_ms: list[float] = field(default_factory=list)
    missed: int = 0
    lasting: int = 0
    bystanders: int = 0

    def summary(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds,
            "detected_ms": _quantiles(self.detected_ms),
            "everywhere_ms": _quantiles(self.everywhere_ms),
            "back_ms": _quantiles(self.back_ms),
            "missed": self.missed,
            "lasting": self.lasting,
            "bystanders": self.bystanders,
        }


@dataclass(slots=True)
class LossTally:
    """Nobody is down here. An episode of a site is a time in which at least one other suspects it."""

    site_ms: float = 0.0
    wrong_ms: float = 0.0
    """Of all pairs of an observer and a site, how long the one suspected the other."""
    pair_ms: float = 0.0
    episodes_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """`refuted_ms`: how long episodes last. `suspected_ratio`: of the time, averaged over pairs of sites."""
        hours = self.site_ms / _HOUR_MS
        return {
            "site_hours": round(hours, 3),
            "episodes_per_site_hour": round(len(self.episodes_ms) / hours, 3),
            "suspected_ratio": self.wrong_ms / self.pair_ms,
            "refuted_ms": _quantiles(self.episodes_ms),
        }


@dataclass(slots=True)
class SizeTally:
    faults: dict[Fault, FaultTally] = field(default_factory=lambda: {fault: FaultTally() for fault in Fault})
    lost: dict[float, LossTally] = field(default_factory=lambda: {ratio: LossTally() for ratio in LOST_RATIOS})


@dataclass(frozen=True, slots=True)
class MembershipStudy:
    delays: MembershipDelays
    seeds: Sequence[int]
    tallies: dict[int, SizeTally]
    """By number of sites."""

    def document(self) -> dict[str, Any]:
        """The report of `edgemind simulate --membership`; ratios are in [0, 1]."""
        return {
            "simulated": True,
            "delays": {name: value for name, value in asdict(self.delays).items() if name != "lost"},
            "seeds": {"first": self.seeds[0], "count": len(self.seeds)},
            "durations_ms": {"broken": BROKEN_MS, "watched_after": AFTER_MS, "lossy": LOSSY_MS},
            "sites": {
                str(sites): {
                    "faults": {fault.value: one.summary() for fault, one in tally.faults.items()},
                    "lost": {f"{ratio:g}": one.summary() for ratio, one in tally.lost.items()},
                }
                for sites, tally in self.tallies.items()
            },
        }


def study_membership(
    sizes: Iterable[int], seeds: Sequence[int], delays: MembershipDelays, progress: Callable[[str], None]
) -> MembershipStudy:
    """Every size with every seed: each fault once, then each share of lost messages for a while."""
    tallies = {sites: SizeTally() for sites in sizes}
    for sites, tally in tallies.items():
        for done, seed in enumerate(seeds):
            progress(f"{sites} sites: {done} of {len(seeds)} seeds")
            for fault, broken in tally.faults.items():
                break_one(sites, seed, delays, fault, broken)
            for ratio, lossy in tally.lost.items():
                lose_messages(sites, seed, replace(delays, lost=ratio), lossy)
    return MembershipStudy(delays, seeds, tallies)


def break_one(sites: int, seed: int, delays: MembershipDelays, fault: Fault, tally: FaultTally) -> None:
    world = MembershipWorld(sites, seed, delays)
    rng = Random(f"{seed} {fault}")
    broken = rng.choice(list(world.members))
    began_ms = QUIET_MS + rng.random() * delays.interval_ms
    healed_ms = began_ms + BROKEN_MS
    world.break_at(began_ms, fault, broken, BROKEN_MS)
    world.run(healed_ms + AFTER_MS)

    tally.seeds += 1
    others = [name for name in world.members if name != broken]
    about = [change for change in world.changes if change.site == broken]
    first = {
        change.observer: change.at_ms - began_ms
        for change in reversed(about)
        if change.suspects and change.at_ms < healed_ms
    }
    tally.detected_ms += first.values()
    tally.missed += len(others) - len(first)
    if len(first) == len(others):
        tally.everywhere_ms.append(max(first.values()))
    if any(broken in world.members[name].suspects for name in others):
        tally.lasting += 1
    else:
        tally.back_ms.append(max(change.at_ms for change in about) - healed_ms)
    tally.bystanders += sum(
        change.suspects and broken not in (change.observer, change.site) for change in world.changes
    )


def lose_messages(sites: int, seed: int, delays: MembershipDelays, tally: LossTally) -> None:
    world = MembershipWorld(sites, seed, delays)
    world.run(LOSSY_MS)
    tally.site_ms += sites * LOSSY_MS
    tally.pair_ms += sites * (sites - 1) * LOSSY_MS
    for site in world.members:
        wrong_ms, episodes = _episodes([change for change in world.changes if change.site == site])
        tally.wrong_ms += wrong_ms
        tally.episodes_ms += episodes


def _episodes(about: Sequence[Change]) -> tuple[float, list[float]]:
    """Of one site: how long all observers together suspected it, and how long each episode lasted that ended."""
    since: dict[str, float] = {}
    wrong_ms, began_ms = 0.0, 0.0
    episodes: list[float] = []
    for change in about:
        if change.suspects:
            began_ms = began_ms if since else change.at_ms
            since[change.observer] = change.at_ms
            continue
        wrong_ms += change.at_ms - since.pop(change.observer)
        if not since:
            episodes.append(change.at_ms - began_ms)
    return wrong_ms + sum(LOSSY_MS - at_ms for at_ms in since.values()), episodes


def _quantiles(values: Sequence[float]) -> dict[str, float | None]:
    return {name: _rounded(quantile(values, ratio)) for name, ratio in (("p50", 0.5), ("p99", 0.99))}


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 1)
