"""Every bound a gateway holds against a client or an upstream that takes too much or too long."""

from dataclasses import dataclass, field

from edgemind.domain.bounds import bounds, check_bounds, check_order

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one gateway process (a worker); sizes in bytes, times in the unit their names end with.

    Raises OutOfBounds when a value is outside its bounds, or when two of them contradict each other.
    """

    max_body_bytes: int = field(
        default=10 * MIB, metadata=bounds(KIB, GIB, "bytes", "Largest request body; a larger one is answered 413.")
    )
    body_bytes_total: int = field(
        default=512 * MIB,
        metadata=bounds(
            KIB, 64 * GIB, "bytes", "Large bodies held in one gateway process, together; one more is answered 503."
        ),
    )
    max_json_values: int = field(
        default=500_000,
        metadata=bounds(
            1000, 100_000_000, "values", "Arrays, objects and commas in a JSON body, together; more is answered 413."
        ),
    )
    max_header_bytes: int = field(
        default=32 * KIB,
        metadata=bounds(KIB, MIB, "bytes", "Largest request line and headers together; more is answered 431."),
    )
    header_timeout_s: float = field(
        default=10.0, metadata=bounds(0.1, 300, "s", "Time a client has to send its complete headers.")
    )
    default_deadline_ms: float = field(
        default=30_000.0, metadata=bounds(1, 3_600_000, "ms", "Deadline of a request that names none.")
    )
    max_deadline_ms: float = field(
        default=600_000.0, metadata=bounds(1, 86_400_000, "ms", "Longest deadline a request may ask for.")
    )
    first_byte_timeout_s: float = field(
        default=60.0, metadata=bounds(0.1, 3600, "s", "Longest wait for an upstream's first body byte.")
    )
    idle_timeout_s: float = field(
        default=60.0,
        metadata=bounds(0.1, 3600, "s", "Longest silence on a connection: between requests, or within a body."),
    )
    replay_bytes_per_request: int = field(
        default=256 * KIB,
        metadata=bounds(0, 64 * MIB, "bytes", "Body kept for one retry; a request with a larger body is not retried."),
    )
    replay_bytes_total: int = field(
        default=16 * MIB,
        metadata=bounds(0, 4 * GIB, "bytes", "Bodies kept for retries in one gateway process, together."),
    )
    drain_s: float = field(
        default=5.0,
        metadata=bounds(0, 600, "s", "Time after SIGTERM for which it goes on accepting, with `Connection: close`."),
    )
    max_connections: int = field(
        default=2048, metadata=bounds(1, 1_000_000, "connections", "Client connections open at once in one process.")
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        check_order(self, "default_deadline_ms", "max_deadline_ms")
        check_order(self, "replay_bytes_per_request", "replay_bytes_total")
        check_order(self, "max_body_bytes", "body_bytes_total")
