"""The names of all metrics: what gateways and controllers expose to Prometheus, and what a query may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

METRO, AT = "metro", "at"
"""Labels of a scrape target, beside a metric's own: the metro, and the site that the process belongs to."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """`labels` are its own; their values come from the configuration or from this code, so their number is bounded.

    `bounds_ms` are a histogram's buckets as scraped: some of those it counts in, because each is a series. The limits
    of its KPI are among them: where in a bucket a quantile lies is a guess.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    bounds_ms: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its samples: what a query asks for."""
        match self.kind:
            case Kind.COUNTER:
                return (f"{self.name}_total",)
            case Kind.HISTOGRAM:
                return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
            case Kind.GAUGE:
                return (self.name,)


def _gateway(name: str, kind: Kind, text: str, *labels: str) -> Metric:
    return Metric(f"edgemind_gateway_{name}", kind, text, labels)


TELEMETRY_DROPPED = Metric("edgemind_telemetry_dropped", Kind.COUNTER, "Spans that were to be kept and never arrived.")
GATEWAY = (
    _gateway("requests", Kind.COUNTER, "Inference requests admitted."),
    _gateway("ok", Kind.COUNTER, "Requests answered by a model server below status 500."),
    _gateway("shed", Kind.COUNTER, "Requests that no site could take."),
    _gateway("failed", Kind.COUNTER, "Requests that failed after they were admitted."),
    _gateway("refused", Kind.COUNTER, "Requests refused before a decision."),
    _gateway("retried", Kind.COUNTER, "Requests tried once more elsewhere."),
    _gateway("late", Kind.COUNTER, "Answers that came after their own deadline."),
    _gateway("hung_up", Kind.COUNTER, "Requests whose client left early."),
    _gateway("cut", Kind.COUNTER, "Answers that ended in the middle."),
    _gateway("cloud", Kind.COUNTER, "Requests that were sent to the cloud tier."),
    _gateway("reload_failures", Kind.COUNTER, "Configurations that were refused at a reload."),
    _gateway("routed_by_site", Kind.COUNTER, "Requests by the site that they were sent to.", "site"),
    _gateway("routed_by_reason", Kind.COUNTER, "Requests by the reason of their decision.", "reason"),
    _gateway("routed_by_model", Kind.COUNTER, "Requests by model.", "model"),
    Metric(
        "edgemind_gateway_first_byte_seconds",
        Kind.HISTOGRAM,
        "Time to the first body byte.",
        bounds_ms=(50, 200, 1000, 5000),
    ),
    Metric(
        "edgemind_gateway_added_latency_seconds",
        Kind.HISTOGRAM,
        "Time to the first body byte less the service time that the model server stated.",
        bounds_ms=(1, 2, 5, 10, 20, 30, 40, 50, 80, 100, 200, 800, 1000, 2000),
    ),
    _gateway("in_flight", Kind.GAUGE, "Requests under way.", "site", "model"),
    _gateway("ejected", Kind.GAUGE, "Upstreams ejected just now.", "site", "model"),
    _gateway("tasks", Kind.GAUGE, "Tasks of a worker's event loop."),
    _gateway("table_age_seconds", Kind.GAUGE, "Age of the routing table."),
    TELEMETRY_DROPPED,
)
"""Of each gateway worker. entrypoints/gateway/metrics.py exposes them."""

ROUNDS = Metric(
    "edgemind_swarm_rounds",
    Kind.COUNTER,
    "Rounds that this site brought to their end, by what came of them: each round of the metro is counted at one site.",
    ("outcome",),
)
DECIDED = Metric(
    "edgemind_swarm_decided_seconds",
    Kind.HISTOGRAM,
    "Breach confirmed until the outcome was known, of rounds that a quorum decided and this site coordinated.",
    bounds_ms=(10, 20, 30, 50, 80, 100, 150, 200, 500),
)
EFFECTS = Metric("edgemind_swarm_effects", Kind.COUNTER, "What came of this site's part in decisions.", ("state",))
MESSAGES_LOST = Metric("edgemind_swarm_messages_lost", Kind.COUNTER, "Messages of rounds that were lost on their way.")
STORE_SECONDS = Metric("edgemind_swarm_store_seconds", Kind.GAUGE, "Decayed mean of calls of the swarm's store.")
STORE_UP = Metric("edgemind_swarm_store_up", Kind.GAUGE, "1 while the swarm's store answers, else 0.")
STORE_FAILURES = Metric("edgemind_swarm_store_failures", Kind.COUNTER, "Calls of the swarm's store that failed.")
ROSTER_SITES = Metric("edgemind_swarm_roster_sites", Kind.GAUGE, "Members of the swarm, as this site knows it.")
REPORT_AGE = Metric(
    "edgemind_site_report_age_seconds",
    Kind.GAUGE,
    "Age of another site's newest report here, its beacon or its heartbeat; since the start if there was none.",
    ("site",),
)
SITE_UP = Metric("edgemind_site_up", Kind.GAUGE, "1 while another site answers this one's beacons, else 0.", ("site",))
REGISTRY_UP = Metric("edgemind_site_registry_up", Kind.GAUGE, "1 while the registry of sites answers, else 0.")
REGISTRY_FAILURES = Metric("edgemind_site_registry_failures", Kind.COUNTER, "Uses of the registry that failed.")

CONTROLLER = (
    ROUNDS, DECIDED, EFFECTS, MESSAGES_LOST, STORE_SECONDS, STORE_UP, STORE_FAILURES, ROSTER_SITES, REPORT_AGE, SITE_UP,
    REGISTRY_UP, REGISTRY_FAILURES,
)  # fmt: skip
"""Of each controller; the first eight only where it takes part in rounds. entrypoints/controller/metrics.py."""

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (*GATEWAY, *CONTROLLER)}
