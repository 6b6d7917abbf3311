"""How a site takes part in rounds: what an operator may set."""

from dataclasses import dataclass, field

from edgemind.domain.bounds import bounds, check_bounds, meaning
from edgemind.domain.swarm.voter import VotingPolicy


@dataclass(frozen=True, slots=True)
class SwarmPolicy:
    """Raises OutOfBounds when a value is outside its bounds."""

    enabled: bool = field(default=True, metadata=meaning("Whether this fleet's controllers decide rounds at all."))
    sample_ms: float = field(
        default=250.0, metadata=bounds(50, 60_000, "ms", "Interval at which a controller looks for breaches.")
    )
    hysteresis_ratio: float = field(
        default=0.1, metadata=bounds(0, 1, "ratio", "How much of the pressure a change must take away to beat KEEP.")
    )
    cooldown_ms: float = field(
        default=5000.0,
        metadata=bounds(
            0, 3_600_000, "ms", "After a change was decided, KEEP comes first for this long, and no site asks again."
        ),
    )

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def voting(self) -> VotingPolicy:
        return VotingPolicy(self.hysteresis_ratio, self.cooldown_ms)
