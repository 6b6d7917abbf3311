"""What is kept of a round after it is over."""

from dataclasses import dataclass

from edgemind.domain.swarm.records import Fence


@dataclass(frozen=True, slots=True)
class EffectReport:
    """What came of a site's part in a decision. `state` is applied, refused (a later fence), failed or undone."""

    fence: Fence
    site: str
    what: str
    state: str
    took_ms: float
    why: str | None = None
