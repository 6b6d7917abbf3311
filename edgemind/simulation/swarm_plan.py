"""What goes wrong in one round, drawn before it begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from edgemind.domain.swarm.ballots import quorum
from edgemind.domain.swarm.messages import Announce, Hint, Wake
from edgemind.domain.swarm.protocol import Execute
from edgemind.domain.swarm.round import DEPUTIES_WOKEN, deputies
from edgemind.domain.swarm.writes import Decide, OpenRound, PutBallot
from edgemind.simulation.swarm_parameters import RoundFaults
from edgemind.simulation.swarm_process import Strike


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """`opener` breaches. Strikes hit the opener, or whichever site is about to execute the decision."""

    opener: str
    down: str | None = None
    suspected: bool = False
    opener_strike: Strike | None = None
    claimant_strike: Strike | None = None
    deaf: str | None = None
    mute: str | None = None
    roster_change_ms: float | None = None
    restored: bool = False


def plan_round(sites: Sequence[str], faults: RoundFaults, rng: Random) -> RoundPlan:
    """Faults that take a site away are drawn in turn, and only while what is left is a quorum."""
    spare = len(sites) - quorum(len(sites))
    opener = rng.choice(sites)
    others = [site for site in sites if site != opener]
    one_way = down = None
    dies = rng.random() < faults.opener_dies and spare > 0
    spare -= dies
    if rng.random() < faults.one_way and spare > 0:
        one_way = rng.choice(others)
        spare -= 1
    if rng.random() < faults.site_down and spare > 0:
        down = rng.choice([site for site in others if site != one_way])
    strike = None
    if dies:
        first_told = next(place for place, site in enumerate(deputies(tuple(sites), opener), 1) if site != down)
        strike = draw_strike(len(sites), first_told, rng.random() < faults.zombie, rng)
    deaf = one_way if rng.random() < 0.5 else None
    return RoundPlan(
        opener,
        down,
        suspected=rng.random() < faults.suspected,
        opener_strike=strike,
        claimant_strike=Strike(Execute, 0, pause=True) if rng.random() < faults.claimant_paused else None,
        deaf=deaf,
        mute=one_way if deaf is None else None,
        roster_change_ms=rng.uniform(0, 30) if rng.random() < faults.roster_changed and len(sites) >= 5 else None,
        restored=rng.random() < faults.table_restored,
    )


def draw_strike(sites: int, first_told: int, pause: bool, rng: Random) -> Strike:
    """Before, after or amid an effect drawn at random.

    `first_told`: which wake is the first to one who is up. Who dies before that starts no round: nobody knows of it.
    """
    moments: tuple[Callable[[], Strike], ...] = (
        lambda: Strike(Wake, rng.randint(first_told, min(DEPUTIES_WOKEN, sites - 1)), pause),
        lambda: Strike(OpenRound, rng.randint(0, 1), pause),
        lambda: Strike(Hint, rng.randint(0, sites - 1), pause),
        lambda: Strike(PutBallot, rng.randint(0, 1), pause),
        lambda: Strike(Decide, rng.randint(0, 1), pause),
        lambda: Strike(Announce, rng.randint(0, sites - 1), pause),
    )
    return rng.choice(moments)()
