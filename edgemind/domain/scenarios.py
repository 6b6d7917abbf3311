"""The one catalogue of scenarios: which devices ask, how their demand changes, what breaks and when. Data only.

Moments are ratios of a run's duration and sites are counted from 0, so that a scenario fits any run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edgemind.domain.device_mixes import AUTOMOTIVE, EVERYDAY, GAMING, HEALTHCARE, INDUSTRY, Mix


class FaultKind(StrEnum):
    """KILL ends every process of a site at once, without a goodbye. BROWNOUT slows its simulated models down."""

    KILL = "kill"
    BROWNOUT = "brownout"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a site. `end_ratio` is None for what is not undone; `factor` multiplies service times."""

    kind: FaultKind
    site: int
    start_ratio: float
    end_ratio: float | None = None
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Surge:
    """The demand at one ingress times `factor` for a while."""

    site: int
    factor: float
    start_ratio: float
    end_ratio: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """`text` is one sentence for people. `min_sites` is how many sites it takes to make sense."""

    name: str
    text: str
    mix: Mix
    surges: tuple[Surge, ...] = ()
    faults: tuple[Fault, ...] = ()
    min_sites: int = 1

    def rate_factor(self, site: int, at_ratio: float, sites: int) -> float:
        """By what the normal rate of this ingress is multiplied at that moment of the run."""
        factor = 1.0
        for surge in self.surges:
            if surge.site % sites == site and surge.start_ratio <= at_ratio < surge.end_ratio:
                factor *= surge.factor
        return factor

    def boundaries(self) -> tuple[float, ...]:
        """The moments at which some rate changes, in order, without 0 and 1."""
        moments = {moment for surge in self.surges for moment in (surge.start_ratio, surge.end_ratio)}
        return tuple(sorted(moment for moment in moments if 0.0 < moment < 1.0))


_THIRD, _TWO_THIRDS = 1 / 3, 2 / 3

_CATALOGUE = (
    Scenario("normal", "Phones, headsets, vehicles and sensors at a steady rate.", EVERYDAY),
    Scenario(
        "flash-crowd",
        "In the middle third twenty-five times as many requests come in at the first site.",
        EVERYDAY,
        surges=(Surge(0, 25.0, _THIRD, _TWO_THIRDS),),
    ),
    Scenario(
        "site-failure",
        "Half-way all processes of the second site are killed; its devices move to their next ingress.",
        EVERYDAY,
        faults=(Fault(FaultKind.KILL, 1, 0.5),),
        min_sites=2,
    ),
    Scenario(
        "brownout",
        "In the middle third the simulated models of the second site take three times as long.",
        EVERYDAY,
        faults=(Fault(FaultKind.BROWNOUT, 1, _THIRD, _TWO_THIRDS, 3.0),),
    ),
    Scenario("gaming", "Headset frames within 75 ms, dialogue that streams, sessions that stay put.", GAMING),
    Scenario("automotive", "Hazard frames within 100 ms at high priority, inside the EU.", AUTOMOTIVE),
    Scenario("healthcare", "Patient data that may only be processed in Germany, vital signs first.", HEALTHCARE),
    Scenario("iot", "Many meters that can wait, a few cameras that cannot.", INDUSTRY),
)

SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _CATALOGUE}
