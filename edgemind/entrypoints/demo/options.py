"""What a demo was asked to do."""

from dataclasses import dataclass
from pathlib import Path

from edgemind.domain.scenarios import Scenario

COURSE_S = 60.0
"""How long a scenario's course takes when the run itself has no end."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`backend` is the one taken, `llama` or `simulated`. `duration_s` None: until Ctrl-C."""

    backend: str
    scenario: Scenario
    policy: str
    rate_per_s: float
    seed: int
    duration_s: float | None
    page: bool
    report: Path | None

    @property
    def course_s(self) -> float:
        return self.duration_s or COURSE_S
