"""Expected completion: the one scale, in milliseconds, on which every candidate is compared."""


def waiting_ms(in_flight: float, slots: int, service_ms: float) -> float:
    """Time one more request waits for a slot: what lies beyond the slots, served `slots` at a time."""
    beyond = in_flight + 1 - slots
    return beyond / slots * service_ms if beyond > 0 else 0.0


def expected_completion_ms(
    rtt_ms: float, service_ms: float, in_flight: float, slots: int, load_ms: float = 0.0
) -> float:
    """Round trip + service + waiting (+ load time of a cold model) for one more request.

    `in_flight` counts what the site reported plus what this gateway sent there since that report: without the second
    part stale reports make every ingress herd to the same neighbour.
    """
    return rtt_ms + load_ms + service_ms + waiting_ms(in_flight, slots, service_ms)


def observed_service_ms(elapsed_ms: float, in_flight_at_send: float, slots: int) -> float:
    """The service time that explains one observation: `expected_completion_ms` solved for `service_ms`.

    Dividing by the queue that the request met lets a loaded site be measured too; waiting until it is idle would
    notice a brownout last.
    """
    beyond = in_flight_at_send + 1 - slots
    return elapsed_ms / (1 + beyond / slots) if beyond > 0 else elapsed_ms


class ServiceTimeEstimate:
    """A decayed mean of observed service times, in milliseconds, starting from the declared prior."""

    __slots__ = ("_weight", "ms")

    def __init__(self, prior_ms: float, weight: float = 0.1) -> None:
        self.ms = prior_ms
        self._weight = weight

    def observe(self, elapsed_ms: float, in_flight_at_send: float, slots: int) -> None:
        self.ms += self._weight * (observed_service_ms(elapsed_ms, in_flight_at_send, slots) - self.ms)
