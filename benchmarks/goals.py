"""The numbers the gateway is built to reach, and whether a run reached them."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.peers.edgemind_telemetry import EVERY_SPAN, OFF
from benchmarks.rows import Row
from benchmarks.telemetry import TelemetryOutcome


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` of our row has to stay at or below `limit`; None means that it was not taken."""

    about: str
    limit: float
    value: float | None

    def line(self) -> str:
        reached = "not measured"
        if self.value is not None:
            reached = f"{self.value:.3g}, {'met' if self.value <= self.limit else 'MISSED'}"
        return f"goal: {self.about} <= {self.limit:g}: {reached}"


def gateway_goals(row: Row) -> Sequence[Goal]:
    return (
        Goal("CPU per request, saturated, x Envoy", 1.0, row.ratio_to_envoy),
        Goal("CPU per request at 2000 requests/s, x Envoy", 1.0, row.working_ratio_to_envoy),
        Goal("CPU per stream of 20 events, x Envoy", 1.5, row.sse_ratio_to_envoy),
        Goal("added p99 at 200 requests/s, us", 1000.0, row.added_p99_us),
        Goal("delay of the first body byte, us", 2000.0, row.first_byte_delay_us),
        Goal("resident memory, MB", 60.0, row.rss_mb),
    )


def decision_goal(us_per_decision: float) -> Goal:
    return Goal("decision of `hybrid` at 50 sites, us", 2.0, us_per_decision)


def memory_goal(growth_ratio: float) -> Goal:
    return Goal("memory growth after the first tenth, ratio", 0.02, growth_ratio)


def explain_goal(find_max_ms: float) -> Goal:
    return Goal("explain among the journaled decisions, the slowest, ms", 1000.0, find_max_ms)


def voter_goals(cpu_p99_ms: float, growth_ratio: float, start_s: float) -> Sequence[Goal]:
    return (
        Goal("CPU of a ballot, p99 of the largest fleet, ms", 10.0, cpu_p99_ms),
        Goal("memory growth over the ballots, ratio", 0.05, growth_ratio),
        Goal("start of the agents, s", 3.0, start_s),
    )


def telemetry_goals(outcome: TelemetryOutcome) -> Sequence[Goal]:
    """Of each gateway with telemetry, its CPU by load; every request's span is reported, not promised."""
    promised = [row for row in outcome.rows if row.name not in {OFF, EVERY_SPAN}]
    return [
        Goal(f"CPU per request at {load}, {row.name}, x off", 1.15, row.ratio[load])
        for row in promised
        for load in ("saturated", "2000/s", "200/s")
    ]
