"""The field's load balancers, as published, with this fleet's signals: round trips, reports and own-sent counts."""

from math import exp
from random import Random

from edgemind.domain.requests import Reason
from edgemind.domain.routing.candidates import Candidate, CandidateSet
from edgemind.domain.routing.picker import Pick


class PeakEwma:
    """Of two random candidates the one of the lower cost: decayed peak latency x requests under way per slot.

    Finagle's and Linkerd's balancer. Theirs knows the client's own requests only and servers of equal size; this one is
    given the reported ones and the slots as well, which serves it better.
    """

    def __init__(self, rng: Random, decay_ms: float = 10_000.0) -> None:
        self._rng = rng
        self._decay_ms = decay_ms
        self._latency_ms: dict[str, float] = {}
        self._observed_ms: dict[str, float] = {}

    def choose(self, candidates: CandidateSet, draw: float) -> Pick:
        members = candidates.members
        if len(members) == 1:
            return members[0], Reason.LEAST_REQUEST
        one, other = self._rng.sample(members, 2)
        return (one if self._cost(one) <= self._cost(other) else other), Reason.LEAST_REQUEST

    def answered(self, candidate: Candidate, latency_ms: float, now_ms: float) -> None:
        """A latency above the mean replaces it at once, one below pulls it down as time goes by."""
        key = candidate.key
        mean_ms = self._latency_ms.get(key, 0.0)
        if latency_ms < mean_ms:
            kept = exp((self._observed_ms[key] - now_ms) / self._decay_ms)
            latency_ms = mean_ms * kept + latency_ms * (1 - kept)
        self._latency_ms[key] = latency_ms
        self._observed_ms[key] = now_ms

    def _cost(self, candidate: Candidate) -> float:
        latency_ms = self._latency_ms.get(candidate.key, candidate.rtt_ms + candidate.service_ms)
        return latency_ms * (candidate.in_flight + 1) / candidate.slots


class Prequal:
    """Prequal's hot-cold rule: of the candidates that are not hot the soonest, of hot ones the least loaded.

    Hot is a load (requests under way per slot) in the upper part of what the probes tell, beyond `hot_quantile`. Probes
    are this fleet's beacons and load headers; latency includes the round trip, without which it would be lost here.
    """

    def __init__(self, hot_quantile: float = 0.84) -> None:
        self._hot_quantile = hot_quantile

    def choose(self, candidates: CandidateSet, draw: float) -> Pick:
        members = candidates.members
        loads = [candidate.in_flight / candidate.slots for candidate in members]
        hot = sorted(loads)[min(len(loads) - 1, int(self._hot_quantile * len(loads)))]
        cold = [candidate for candidate, load in zip(members, loads, strict=True) if load < hot]
        if cold:
            return min(cold, key=lambda candidate: candidate.expected_ms), Reason.LEAST_REQUEST
        return members[loads.index(min(loads))], Reason.LEAST_REQUEST

    def answered(self, candidate: Candidate, latency_ms: float, now_ms: float) -> None:
        return None
