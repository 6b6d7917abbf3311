"""How loaded sites are, and how each voter sees it: by beacons, a little differently from everybody else."""

from collections.abc import Sequence
from random import Random

from edgemind.domain.swarm.records import Candidate
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy, rank

_SLOTS = (8, 12, 16)
_CALM, _BREACHING = (0.2, 0.7), (1.5, 2.5)
_SEEN_WITHIN = 0.05
_MODELS_DOWN_RATIO = 0.2
"""Of the breaches: those of a site whose model servers are gone, which is for FAIL_OVER."""


class SwarmLoads:
    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._loads: dict[str, SiteLoad] = {}
        self._policy = VotingPolicy()

    def new_round(self, sites: Sequence[str], breaching: str) -> dict[str, SiteLoad]:
        """The true loads of a breach; every earlier round is beyond the voters' cooldown."""
        rng = self._rng
        self._loads = {}
        for site in sites:
            slots = rng.choice(_SLOTS)
            ratio = rng.uniform(*(_BREACHING if site == breaching else _CALM))
            up = site != breaching or rng.random() >= _MODELS_DOWN_RATIO
            self._loads[site] = SiteLoad(slots, slots * ratio, slots // 4, up, max_replicas=slots)
        return dict(self._loads)

    def rank(self, candidates: tuple[Candidate, ...]) -> tuple[str, ...]:
        """As one voter, at one moment, sees it: loads within 5 % of the truth."""
        rng = self._rng
        named = {name for candidate in candidates for name in (candidate.site, candidate.of)}
        seen = {
            site: SiteLoad(
                load.slots, load.demand * rng.uniform(1 - _SEEN_WITHIN, 1 + _SEEN_WITHIN), load.replicas, load.up
            )
            for site, load in self._loads.items()
            if site in named
        }
        return rank(candidates, seen, self._policy, since_change_ms=None)
