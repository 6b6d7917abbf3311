"""How a gateway chooses among the sites that pass the filters, and how fresh its signals must be."""

from dataclasses import dataclass, field
from enum import StrEnum

from edgemind.domain.bounds import OutOfBounds, bounds, check_bounds, check_order, meaning


class PolicyName(StrEnum):
    """The policies a gateway ships; other baselines exist in the simulator only."""

    HYBRID = "hybrid"
    LOCAL_FIRST = "local_first"
    LEAST_REQUEST = "least_request"


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """The routing policy of a fleet; times in milliseconds.

    Raises OutOfBounds when a value is outside its bounds, or when the ages contradict each other: a signal that is
    fresh for less than a beacon interval would never be used, and a site is not given up while its signal is fresh.
    """

    policy: PolicyName = field(
        default=PolicyName.HYBRID,
        metadata=meaning("hybrid: table, overridden by fresh beacons. local_first: here while a slot is free."),
    )
    override_margin_ms: float = field(
        default=2.0, metadata=bounds(0, 10_000, "ms", "How much better a beacon must predict to override the table.")
    )
    fresh_ms: float = field(
        default=500.0, metadata=bounds(1, 60_000, "ms", "Age up to which a site's signal may override the table.")
    )
    session_margin_ms: float = field(
        default=2.0, metadata=bounds(0, 10_000, "ms", "How much worse a session's last site may be and still be kept.")
    )
    fill_ratio: float = field(
        default=0.85,
        metadata=bounds(0.01, 1, "ratio", "Share of a site's capacity that the table fills before it spills."),
    )
    tick_ms: float = field(
        default=250.0, metadata=bounds(20, 10_000, "ms", "Interval at which the controller computes the table.")
    )
    beacon_hz: float = field(
        default=10.0, metadata=bounds(0.1, 100, "Hz", "Load reports a second, to neighbours and from gateways.")
    )
    stale_site_ms: float = field(
        default=1000.0,
        metadata=bounds(10, 600_000, "ms", "Silence after which a site is suspected and gets nothing."),
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.fresh_ms < self.beacon_interval_ms:
            raise OutOfBounds(
                "fresh_ms",
                f"{self.fresh_ms:g} is less than one beacon interval ({self.beacon_interval_ms:g} ms), so no"
                " signal would ever count; raise it or raise beacon_hz",
            )
        check_order(self, "fresh_ms", "stale_site_ms")

    @property
    def beacon_interval_ms(self) -> float:
        return 1000.0 / self.beacon_hz
