"""How a site takes part in rounds: what an operator may set."""

from dataclasses import dataclass, field
from enum import StrEnum

from edgemind.domain.bounds import bounds, check_bounds, meaning
from edgemind.domain.swarm.scale_task import ScalingPolicy
from edgemind.domain.swarm.voter import VotingPolicy


class ScalerKind(StrEnum):
    """Who runs the model servers of a fleet's sites, and so can run more of them."""

    NONE = "none"
    LOCAL = "local"
    KUBERNETES = "kubernetes"


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
    scaler: ScalerKind = field(
        default=ScalerKind.NONE,
        metadata=meaning(
            "none: rounds only shift load. local: simulated model servers on the controller's machine, by their own "
            "control route. kubernetes: Deployments, each called as the host of its model's base_url."
        ),
    )
    ready_within_s: float = field(
        default=300.0, metadata=bounds(0, 86_400, "s", "Replicas that are not ready after this are taken back.")
    )
    keep_for_s: float = field(
        default=120.0,
        metadata=bounds(0, 86_400, "s", "How long a replica has to be superfluous before it is given back."),
    )

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def voting(self) -> VotingPolicy:
        return VotingPolicy(self.hysteresis_ratio, self.cooldown_ms)

    @property
    def scaling(self) -> ScalingPolicy:
        return ScalingPolicy(self.ready_within_s, self.keep_for_s)
