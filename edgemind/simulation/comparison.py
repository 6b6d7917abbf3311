"""Several policies over several seeds, in the same scenes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edgemind.simulation.outcomes import Outcomes, Summary
from edgemind.simulation.parameters import Parameters
from edgemind.simulation.world import World, set_scene


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, in which world, and what came of it. `policies` keeps the order that was asked for."""

    parameters: Parameters
    sites: int
    seeds: int
    staleness_ms: float
    policies: Mapping[str, Summary]

    def document(self) -> dict[str, Any]:
        """The report of `edgemind simulate`; ratios are in [0, 1]."""
        world = {"sites": self.sites, "seeds": self.seeds, "staleness_ms": self.staleness_ms}
        groups = asdict(self.parameters)
        # Which policy a gateway ships with says nothing about a run that compares all of them.
        del groups["routing"]["policy"]
        return {
            "simulated": True,
            "policies": {name: asdict(summary) for name, summary in self.policies.items()},
            "parameters": {**world, **groups},
        }


def compare(
    policies: Sequence[str],
    parameters: Parameters,
    *,
    sites: int,
    seeds: int,
    staleness_ms: float,
    progress: Callable[[str], None],
) -> Comparison:
    """Run every policy on seeds 0, 1, ...; each policy's latencies of all seeds are summed up together."""
    outcomes = {policy: Outcomes() for policy in policies}
    for seed in range(seeds):
        scene = set_scene(parameters, sites, seed)
        for policy in policies:
            progress(f"seed {seed + 1} of {seeds}: {policy}, {len(scene.requests)} requests")
            outcomes[policy].add(World(scene, policy, staleness_ms).run())
    summaries = {policy: outcome.summary() for policy, outcome in outcomes.items()}
    return Comparison(parameters, sites, seeds, staleness_ms, summaries)
