"""What the swarm's simulated world is like: how long things take, what goes wrong, and how often. All of it is data."""

from dataclasses import dataclass, field, replace

from edgemind.domain.swarm.pace import STORE_MS

FAULT_SETS = ("none", "losses", "all")
ROUNDS_PER_SEED = 10


@dataclass(frozen=True, slots=True)
class Delays:
    """In milliseconds. Normal distributions with a floor; a slow store call has an exponential tail on top."""

    store_ms: float = STORE_MS
    store_sd_ms: float = 2.0
    store_floor_ms: float = 1.0
    tail_ratio: float = 0.01
    tail_mean_ms: float = 20.0
    timeout_ms: float = 200.0
    """After this a store call without an answer counts as unknown."""
    hop_ms: float = 4.0
    hop_sd_ms: float = 2.0
    hop_floor_ms: float = 0.5
    gap_ms: float = 10_000.0
    """Between two breaches; longer than the voters' cooldown."""

    @classmethod
    def of_store(cls, store_ms: float) -> "Delays":
        """The same shape around another mean: spread, tail and time-out grow with it, never below the designed ones."""
        factor = store_ms / STORE_MS
        normal = cls()
        return replace(
            normal,
            store_ms=store_ms,
            store_sd_ms=normal.store_sd_ms * factor,
            store_floor_ms=normal.store_floor_ms * factor,
            tail_mean_ms=normal.tail_mean_ms * factor,
            timeout_ms=normal.timeout_ms * max(1.0, factor),
        )


@dataclass(frozen=True, slots=True)
class StoreFaults:
    """Shares of store calls. Late ones are applied up to `late_ms` later, past the next round; nobody hears of it."""

    lost_before: float = 0.0
    lost_after: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    throttled: float = 0.0
    late_ms: float = 25_000.0


@dataclass(frozen=True, slots=True)
class PeerFaults:
    """Shares of messages between sites."""

    lost: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    late_ms: float = 25_000.0


@dataclass(frozen=True, slots=True)
class RoundFaults:
    """Shares of rounds. Faults that take sites away never take more of them than a quorum can spare."""

    site_down: float = 0.0
    suspected: float = 0.5
    """Of the rounds with a site down: those in which the others know."""
    opener_dies: float = 0.0
    zombie: float = 0.0
    """Of the deaths: a pause only, after which the old process goes on, beside its successor."""
    claimant_paused: float = 0.0
    one_way: float = 0.0
    roster_changed: float = 0.0
    table_restored: float = 0.0
    clock_offset_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Faults:
    name: str
    store: StoreFaults = field(default_factory=StoreFaults)
    peers: PeerFaults = field(default_factory=PeerFaults)
    rounds: RoundFaults = field(default_factory=RoundFaults)


_LOSSES = Faults(
    "losses",
    StoreFaults(lost_before=0.1, lost_after=0.1),
    PeerFaults(),
    RoundFaults(site_down=1.0, opener_dies=0.1, clock_offset_ms=10_000.0),
)
_ALL = Faults(
    "all",
    StoreFaults(lost_before=0.09, lost_after=0.1, late=0.01, doubled=0.02, throttled=0.01),
    PeerFaults(lost=0.02, late=0.01, doubled=0.02),
    RoundFaults(
        site_down=1.0,
        opener_dies=0.1,
        zombie=0.3,
        claimant_paused=0.1,
        one_way=0.05,
        roster_changed=0.1,
        table_restored=0.02,
        clock_offset_ms=10_000.0,
    ),
)


def fault_set(name: str) -> Faults:
    """One of FAULT_SETS."""
    return {"none": Faults("none"), "losses": _LOSSES, "all": _ALL}[name]
