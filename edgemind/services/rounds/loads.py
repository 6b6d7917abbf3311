"""What a site knows of every site's load when it proposes or votes: from its own gateways and the others' beacons."""

from collections.abc import Iterable, Mapping, Sequence

from edgemind.domain.beacons import ModelLoad
from edgemind.domain.swarm.records import Candidate
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.swarm.votes import View
from edgemind.ports.clock import Clock
from edgemind.services.neighbourhood import Neighbourhood
from edgemind.services.neighbourhood import SiteLoad as SiteModels
from edgemind.services.own_site import OwnSite


class KnownLoads:
    def __init__(self, own: OwnSite, neighbourhood: Neighbourhood, policy: VotingPolicy, clock: Clock) -> None:
        self._own = own
        self._neighbourhood = neighbourhood
        self._policy = policy
        self._clock = clock

    def of(self, model: str) -> dict[str, SiteLoad]:
        """By site, of one model; of "", of all models together. Sites that do not hold it are left out."""
        sites = [self._own.site_load(), *self._neighbourhood.loads(self._clock.monotonic_s())]
        found = {site.site: _site_load(site, model) for site in sites}
        return {name: load for name, load in found.items() if load is not None}

    def view(self, candidates: Sequence[Candidate], since_change_ms: float | None) -> View:
        """Only the sites that the candidates name: what the others do changes nothing between them."""
        named = {name for candidate in candidates for name in (candidate.site, candidate.of)}
        loads = self.of(model_of(candidates))
        return View({site: load for site, load in loads.items() if site in named}, self._policy, since_change_ms)


def model_of(candidates: Iterable[Candidate]) -> str:
    """The model that a round is about; "" if it is about whole sites."""
    return next((candidate.model for candidate in candidates if candidate.model), "")


def _site_load(site: SiteModels, model: str) -> SiteLoad | None:
    held = _held(site.models, model)
    if not held:
        return None
    up = not site.draining and any(load.ready for load in held)
    slots, demand = sum(load.slots for load in held), float(sum(load.in_flight for load in held))
    if len(held) > 1:
        return SiteLoad(slots, demand, up=up)
    return SiteLoad(slots, demand, held[0].replicas, up, held[0].max_replicas)


def _held(models: Mapping[str, ModelLoad], model: str) -> list[ModelLoad]:
    return [load for name, load in models.items() if load.slots > 0 and model in {"", name}]
