"""Expected completion, in milliseconds, and the cost on which candidates are compared: waiting counts for more."""

WAITING_WEIGHT = 3.0
"""What a millisecond of waiting for a slot counts for in a comparison, beside one of travel or service.

A request that queues delays everybody who comes after it, one that travels delays nobody. Comparing bare expected
completions lets every ingress fill its own queue until a neighbour is just as bad for itself; simulated, with perfect
knowledge, weights of 2 and 3 answer more requests in time than 1, at every load (docs/adr/0006).
"""


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


def routing_cost_ms(rtt_ms: float, service_ms: float, in_flight: float, slots: int, load_ms: float = 0.0) -> float:
    """The expected completion with its waiting weighted: what a pick compares, not what it predicts."""
    return rtt_ms + load_ms + service_ms + WAITING_WEIGHT * waiting_ms(in_flight, slots, service_ms)


def observed_service_ms(elapsed_ms: float, in_flight_at_send: float, slots: int) -> float:
    """The service time that explains one observation: `expected_completion_ms` solved for `service_ms`.

    Dividing by the queue that the request met lets a loaded site be measured too; waiting until it is idle would
    notice a brownout last.
    """
    beyond = in_flight_at_send + 1 - slots
    return elapsed_ms / (1 + beyond / slots) if beyond > 0 else elapsed_ms


class ServiceTimeEstimate:
    """A decayed mean of observed service times, in milliseconds, starting from the declared prior.

    The prior counts as `PRIOR_OBSERVATIONS`, so that a wrong one is soon forgotten; then each observation weighs
    `weight`. A larger weight would notice a brownout sooner, and follow noise: sites that look better by chance draw
    everybody's load (simulated: at a log-sigma of 0.8 a weight of 0.1 costs a point of the requests in time).
    """

    __slots__ = ("_observations", "_weight", "ms")

    PRIOR_OBSERVATIONS = 4

    def __init__(self, prior_ms: float, weight: float = 0.03) -> None:
        self.ms = prior_ms
        self._weight = weight
        self._observations = self.PRIOR_OBSERVATIONS

    def observe(self, elapsed_ms: float, in_flight_at_send: float, slots: int) -> None:
        self._observations += 1
        weight = max(self._weight, 1 / self._observations)
        self.ms += weight * (observed_service_ms(elapsed_ms, in_flight_at_send, slots) - self.ms)
