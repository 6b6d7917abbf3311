"""The deterministic default voter: equal snapshots give equal rankings, on every site and in every replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

from edgemind.domain.bounds import bounds, check_bounds
from edgemind.domain.swarm.ballots import ranking_length
from edgemind.domain.swarm.records import Action, Candidate


@dataclass(frozen=True, slots=True)
class SiteLoad:
    """What a voter knows of a site: `demand` is requests under way and waiting, `slots` of all its `replicas`.

    `max_replicas` is as many as the site can run; with 1 it cannot be scaled.
    """

    slots: int
    demand: float
    replicas: int = 1
    up: bool = True
    max_replicas: int = 1

    @property
    def scalable(self) -> bool:
        return self.up and self.replicas < self.max_replicas

    @property
    def room(self) -> float:
        return self.slots - self.demand


@dataclass(frozen=True, slots=True)
class VotingPolicy:
    hysteresis_ratio: float = field(
        default=0.1, metadata=bounds(0, 1, "ratio", "How much of the pressure a change must take away to beat KEEP.")
    )
    cooldown_ms: float = field(
        default=5000.0,
        metadata=bounds(0, 3_600_000, "ms", "After a change was decided, KEEP comes first for this long."),
    )

    def __post_init__(self) -> None:
        check_bounds(self)


def rank(
    candidates: Sequence[Candidate],
    loads: Mapping[str, SiteLoad],
    policy: VotingPolicy,
    since_change_ms: float | None,
) -> tuple[str, ...]:
    """The ids of the best candidates, best first, as many as a ballot names.

    `since_change_ms`: since this site learned of the last decided change, by its own monotonic clock; None if it never
    did. Within the cooldown, and unless a change takes away enough, KEEP is first and the rest keep their order.
    """
    pressures = {candidate: pressure(candidate, loads) for candidate in candidates}
    order = sorted(candidates, key=lambda candidate: (pressures[candidate], candidate.id))
    keep = next((candidate for candidate in candidates if candidate.action is Action.KEEP), None)
    if keep is not None:
        cooling = since_change_ms is not None and since_change_ms < policy.cooldown_ms
        enough = pressures[order[0]] <= (1 - policy.hysteresis_ratio) * pressures[keep]
        if cooling or not enough:
            order.sort(key=lambda candidate: candidate is not keep)
    return tuple(candidate.id for candidate in order[: ranking_length(len(candidates))])


def pressure(candidate: Candidate, loads: Mapping[str, SiteLoad]) -> float:
    """Requests per slot that a request finds at its site, on average, once the candidate is carried out.

    The average and not the busiest site: where all are busy alike, more capacity at one of them helps, although the
    others stay as they are. inf if it names an unknown site, or if a site has demand and no slots.
    """
    demand = {site: load.demand for site, load in loads.items()}
    slots = {site: load.slots if load.up else 0 for site, load in loads.items()}
    site, of = candidate.site, candidate.of
    match candidate.action:
        case Action.KEEP:
            pass
        case _ if site not in loads:
            return float("inf")
        case Action.SCALE_OUT:
            slots[site] = slots[site] // max(1, loads[site].replicas) * candidate.target
        case Action.DRAIN:
            _spread(site, demand, slots)
        case _ if of not in loads:
            return float("inf")
        case Action.SHIFT:
            _move(max(0.0, demand[of] - slots[of]) * candidate.target / 100, of, site, demand)
        case Action.FAIL_OVER:
            _move(demand[of], of, site, demand)
    # fsum: the same number whatever the order of the sites, so that a replay is bit for bit.
    total = fsum(demand.values())
    return fsum(asked * _per_slot(asked, slots[name]) for name, asked in demand.items() if asked) / (total or 1.0)


def _move(moved: float, source: str, to: str, demand: dict[str, float]) -> None:
    demand[source] -= moved
    demand[to] += moved


def _spread(site: str, demand: dict[str, float], slots: dict[str, int]) -> None:
    """All that `site` had goes to the others by their slots."""
    moved, demand[site], slots[site] = demand[site], 0.0, 0
    total = sum(slots.values())
    if total == 0:
        demand[site] = moved
        return
    for name in demand:
        demand[name] += moved * slots[name] / total


def _per_slot(demand: float, slots: int) -> float:
    return demand / slots if slots else (float("inf") if demand > 0 else 0.0)
