"""What a breaching site puts to the vote: a handful of absolute states, KEEP among them."""

from collections.abc import Iterable, Mapping

from edgemind.domain.swarm.records import KEEP, Action, Candidate
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.errors import PermanentError

SHIFT_PERCENTS = (100, 50)
SHIFT_SITES = 3
"""Only the sites with the most room are asked to take load: voters rank five, and more would split their points."""


def propose(loads: Mapping[str, SiteLoad], site: str, model: str) -> tuple[Candidate, ...]:
    """Candidates for a breach at `site`, whose overflow is in `model`, in the order of their ids.

    One more replica here or at the roomiest other site that can still have one; all or half of the overflow to each of
    the roomiest; nothing. For a site that is down: one of the roomiest takes over.
    """
    here = loads[site]
    others = [name for name, load in loads.items() if load.up and name != site]
    roomy = _roomiest(others, loads)[:SHIFT_SITES]
    if here.up:
        found = {Candidate(Action.SHIFT, other, percent, site, model) for other in roomy for percent in SHIFT_PERCENTS}
    else:
        found = {Candidate(Action.FAIL_OVER, other, of=site) for other in roomy}
    scalable = [name for name in _roomiest(others, loads) if loads[name].scalable][:1]
    for name in [site, *scalable] if here.scalable else scalable:
        found.add(Candidate(Action.SCALE_OUT, name, loads[name].replicas + 1, model=model))
    return tuple(sorted(found | {KEEP}, key=lambda candidate: candidate.id))


def propose_replicas(loads: Mapping[str, SiteLoad], site: str, model: str, replicas: int) -> tuple[Candidate, ...]:
    """What an operator asks for: so many replicas at `site`, or nothing. Fewer come by themselves, as demand falls.

    PermanentError says what the site can run.
    """
    here = loads.get(site)
    if here is None:
        raise PermanentError(f"{site} does not hold {model!r}")
    if not here.replicas < replicas <= here.max_replicas:
        raise PermanentError(
            f"{site} runs {here.replicas} of at most {here.max_replicas} replicas of {model}: ask for more than that, "
            "and for no more than it can run; what demand no longer needs is given back by itself"
        )
    candidates = (Candidate(Action.SCALE_OUT, site, replicas, model=model), KEEP)
    return tuple(sorted(candidates, key=lambda candidate: candidate.id))


def _roomiest(sites: Iterable[str], loads: Mapping[str, SiteLoad]) -> list[str]:
    return sorted(sites, key=lambda name: (-loads[name].room, name))
