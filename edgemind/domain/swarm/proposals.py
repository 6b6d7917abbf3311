"""What a breaching site puts to the vote: a handful of absolute states, KEEP among them."""

from collections.abc import Mapping

from edgemind.domain.swarm.records import KEEP, Action, Candidate
from edgemind.domain.swarm.voter import SiteLoad

SHIFT_PERCENTS = (100, 50)
SHIFT_SITES = 3
"""Only the sites with the most room are asked to take load: voters rank five, and more would split their points."""


def propose(loads: Mapping[str, SiteLoad], site: str, model: str) -> tuple[Candidate, ...]:
    """Candidates for a breach at `site`, whose overflow is in `model`, in the order of their ids.

    One more replica here or at the roomiest other site; all or half of the overflow to each of the roomiest; nothing.
    For a site that is down: one of the roomiest takes over.
    """
    here = loads[site]
    others = [name for name, load in loads.items() if load.up and name != site]
    roomy = sorted(others, key=lambda name: (-loads[name].room, name))[:SHIFT_SITES]
    if here.up:
        found = {Candidate(Action.SHIFT, other, percent, site, model) for other in roomy for percent in SHIFT_PERCENTS}
        found.add(Candidate(Action.SCALE_OUT, site, here.replicas + 1, model=model))
    else:
        found = {Candidate(Action.FAIL_OVER, other, of=site) for other in roomy}
    found |= {Candidate(Action.SCALE_OUT, other, loads[other].replicas + 1, model=model) for other in roomy[:1]}
    return tuple(sorted(found | {KEEP}, key=lambda candidate: candidate.id))
