"""Many seeds of the swarm's world, summed up by the size of the swarm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from edgemind.domain.kpi import BY_NAME, Level, Tier
from edgemind.domain.samples import quantile
from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.simulation.swarm_parameters import ROUNDS_PER_SEED, Delays, Faults
from edgemind.simulation.swarm_world import RoundResult, SwarmWorld

PROGRESS_ROUNDS = 500


@dataclass(frozen=True, slots=True)
class Violation:
    sites: int
    seed: int
    what: str


@dataclass(slots=True)
class Tally:
    """Of all rounds of one swarm size. Times are of rounds that a quorum decided."""

    results: list[RoundResult] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    store_calls: int = 0
    write_units: int = 0

    def add(self, world: SwarmWorld, sites: int, seed: int) -> None:
        self.results += world.results
        self.violations += [Violation(sites, seed, what) for what in world.table.audit.violations]
        self.store_calls += world.table.usage.calls
        self.write_units += world.table.usage.write_units

    def summary(self) -> dict[str, Any]:
        """`store_calls`, `write_units`: a round, on average. `sequential_calls`: on the way to the outcome. `kpis`: how
        the KPI catalogue judges it, at production's limits."""
        rounds = len(self.results)
        voted = [result for result in self.results if result.decided_ms is not None and not result.timed_out]
        decided_ms = [result.decided_ms for result in voted if result.decided_ms is not None]
        calls = [result.sequential_calls for result in voted]
        success = sum(ms <= TARGET_MS for ms in decided_ms) / rounds
        return {
            "rounds": rounds,
            "decided_ms": {"p50": _rounded(quantile(decided_ms, 0.5)), "p99": _rounded(quantile(decided_ms, 0.99))},
            "success": success,
            "late": sum(ms > TARGET_MS for ms in decided_ms),
            "timed_out": sum(result.timed_out for result in self.results),
            "undecided": sum(result.decided_ms is None for result in self.results),
            "violations": len(self.violations),
            "store_calls": round(self.store_calls / rounds, 2),
            "write_units": round(self.write_units / rounds, 2),
            "sequential_calls": {
                "p50": quantile(calls, 0.5),
                "p99": quantile(calls, 0.99),
                "max": max(calls, default=None),
            },
            "kpis": {
                "swarm_coordination_ms": _verdict("swarm_coordination_ms", quantile(decided_ms, 0.99)),
                "consensus_success_ratio": _verdict("consensus_success_ratio", success),
            },
        }


@dataclass(frozen=True, slots=True)
class Study:
    delays: Delays
    faults: Faults
    seeds: Sequence[int]
    tallies: Mapping[int, Tally]
    """By number of sites."""

    @property
    def violations(self) -> list[Violation]:
        return [violation for tally in self.tallies.values() for violation in tally.violations]

    def replay(self, violation: Violation) -> str:
        """The one line that shows a violation again."""
        return (
            f"edgemind simulate --swarm --sites {violation.sites} --first-seed {violation.seed} --seeds 1 "
            f"--faults {self.faults.name} --store-ms {self.delays.store_ms:g}"
        )

    def document(self) -> dict[str, Any]:
        """The report of `edgemind simulate --swarm`; ratios are in [0, 1]."""
        return {
            "simulated": True,
            "delays": asdict(self.delays),
            "faults": asdict(self.faults),
            "seeds": {"first": self.seeds[0], "count": len(self.seeds), "rounds_each": ROUNDS_PER_SEED},
            "sites": {str(sites): tally.summary() for sites, tally in self.tallies.items()},
            "violations": [{**asdict(violation), "replay": self.replay(violation)} for violation in self.violations],
        }


def study(
    sizes: Sequence[int], seeds: Sequence[int], delays: Delays, faults: Faults, progress: Callable[[str], None]
) -> Study:
    """Every size with every seed, ROUNDS_PER_SEED breaches each."""
    tallies: dict[int, Tally] = {}
    step = max(1, PROGRESS_ROUNDS // ROUNDS_PER_SEED)
    for sites in sizes:
        tally = tallies[sites] = Tally()
        for done, seed in enumerate(seeds):
            if done % step == 0:
                progress(f"{sites} sites: {done * ROUNDS_PER_SEED} of {len(seeds) * ROUNDS_PER_SEED} rounds")
            world = SwarmWorld(sites, seed, delays, faults)
            world.run()
            tally.add(world, sites, seed)
    return Study(delays, faults, seeds, tallies)


def _verdict(kpi: str, value: float | None) -> Level:
    return BY_NAME[kpi].level(value, Tier.PRODUCTION)


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 2)
