"""Swarm stores that lack one condition of one write, and the storm in which that shows."""

from dataclasses import replace

from edgemind.adapters.swarm_store.rules import CONDITIONS, Conditions
from edgemind.simulation.swarm_parameters import Delays, Faults, PeerFaults, RoundFaults, StoreFaults

NAMES = [f"{kind.__name__} {name}" for kind, conditions in CONDITIONS.items() for name in conditions]


def without(name: str) -> Conditions:
    """All conditions but one, named as "OpenRound epoch"."""
    return {
        kind: {each: test for each, test in conditions.items() if f"{kind.__name__} {each}" != name}
        for kind, conditions in CONDITIONS.items()
    }


STORM = Faults(
    "storm",
    StoreFaults(lost_before=0.1, lost_after=0.1, late=0.2, doubled=0.2, throttled=0.05, late_ms=1500.0),
    PeerFaults(lost=0.1, late=0.1, doubled=0.1, late_ms=1500.0),
    RoundFaults(
        site_down=0.5,
        opener_dies=0.5,
        zombie=0.7,
        claimant_paused=0.3,
        one_way=0.2,
        roster_changed=0.2,
        table_restored=0.15,
        clock_offset_ms=10_000.0,
    ),
)
"""Far worse than any set of the command: what matters is what never happens, not how many rounds are decided."""
STORMY = replace(Delays(), gap_ms=400.0)
"""Rounds follow so closely that what is late or resumed meets one of the next."""
