"""When a site counts as about to miss its targets. Thresholds start a swarm round; they never route a request."""

from dataclasses import dataclass, field

from edgemind.domain.bounds import bounds, check_bounds, check_order


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A sample breaches when any of its values is above its threshold; ratios are in [0, 1].

    `breaches` of the last `samples` confirm it, so that one slow request does not start a round.
    Raises OutOfBounds when a value is outside its bounds, or when `breaches` can never be reached.
    """

    latency_ms: float = field(
        default=100.0, metadata=bounds(1, 600_000, "ms", "Added latency: first body byte less the model's own time.")
    )
    cpu_ratio: float = field(default=0.8, metadata=bounds(0, 1, "ratio", "Busy share of the site's processors."))
    gpu_ratio: float = field(default=0.8, metadata=bounds(0, 1, "ratio", "Busy share of the site's accelerators."))
    queue_depth: int = field(
        default=50, metadata=bounds(1, 1_000_000, "requests", "Requests waiting for a slot at the site.")
    )
    occupancy_ratio: float = field(
        default=1.2,
        metadata=bounds(0.1, 1000, "ratio", "Requests of one model at the site, waiting ones too, per slot of it."),
    )
    samples: int = field(default=5, metadata=bounds(1, 1000, "samples", "Length of the window that is looked at."))
    breaches: int = field(
        default=3, metadata=bounds(1, 1000, "samples", "Samples of the window that must breach to confirm it.")
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        check_order(self, "breaches", "samples")
