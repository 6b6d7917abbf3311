"""What a gateway worker tells its controller ten times a second, and what the workers of a site amount to together."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgemind.domain.audit.handed_over import HandedOver, parse_handed_over
from edgemind.domain.beacons import ModelLoad, parse_model_loads
from edgemind.domain.wire import DocumentInvalid, Fields

REPORT_VERSION = 1
_ORIGIN = re.compile(r"http://[^/?#@\s]+:[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DecisionSummary:
    """One line about one request. `site` is None if nobody took it; then `reason` says why it was shed.

    `actual_ms` is None while the request is under way, and `status` 0.
    """

    id: str
    at_ms: int
    model: str
    tenant: str
    site: str | None
    reason: str
    predicted_ms: float | None
    actual_ms: float | None
    status: int
    residency: tuple[str, ...] = ()
    """Zones that it had to stay in; empty: any."""
    zones: tuple[str, ...] = ()
    """Of the site where it ran."""


@dataclass(frozen=True, slots=True)
class GatewayCounters:
    """Counters since the workers started; `requests_per_s` and the added latency are of the last seconds.

    Added latency is the time to first byte less the model's own service time.
    """

    requests: int = 0
    ok: int = 0
    shed: int = 0
    failed: int = 0
    refused: int = 0
    retried: int = 0
    hung_up: int = 0
    telemetry_dropped: int = 0
    """Spans that were to be kept and never arrived."""
    requests_per_s: float = 0.0
    added_ms_p50: float | None = None
    added_ms_p99: float | None = None
    by_site: Mapping[str, int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    by_model: Mapping[str, int] = field(default_factory=dict)
    late: int = 0
    """Of `ok`: answered after the request's own deadline; 0 from a worker of a version before this was counted."""


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """One worker's view: its own requests at its site's models, its counters, its newest decisions.

    `admin` is where its admin listener is reached. Where a site has several gateways, each of them has a worker 0: this
    tells them apart, and whom to ask.
    """

    site: str
    worker: int
    workers: int
    pid: int
    draining: bool
    table_version: int
    models: Mapping[str, ModelLoad]
    counters: GatewayCounters
    decisions: tuple[DecisionSummary, ...]
    admin: str | None = None
    joined_version: int = 0
    """Of the sites that joined, as the controller told them last."""
    journal: HandedOver | None = None
    """Decisions to be kept; None from a worker that has none to hand over, or is of an older version."""


def parse_worker_report(document: object) -> WorkerReport:
    """A report from its JSON document; DocumentInvalid names the first field that is wrong."""
    fields = Fields(document, "report")
    if fields.count("v") < REPORT_VERSION:
        raise DocumentInvalid(f"report.v must be {REPORT_VERSION} or newer: upgrade the gateway that sent it")
    return WorkerReport(
        site=fields.text("site"),
        worker=fields.count("worker"),
        workers=fields.count("workers", 1),
        pid=fields.count("pid", 0),
        draining=fields.flag("draining", False),
        table_version=fields.count("table_version", 0),
        models=parse_model_loads(fields),
        counters=_counters(fields),
        decisions=tuple(parse_decision_summary(decision) for decision in fields.listed("decisions")),
        admin=_admin(fields),
        joined_version=fields.count("joined_version", 0),
        journal=None if (journal := fields.object_or_none("journal")) is None else parse_handed_over(journal),
    )


def parse_decision_summary(fields: Fields) -> DecisionSummary:
    return DecisionSummary(
        id=fields.text("id"),
        at_ms=fields.count("at_ms"),
        model=fields.text_or_none("model") or "",
        tenant=fields.text_or_none("tenant") or "",
        site=fields.text_or_none("site"),
        reason=fields.text_or_none("reason") or "",
        predicted_ms=fields.number_or_none("predicted_ms"),
        actual_ms=fields.number_or_none("actual_ms"),
        status=fields.count("status", 0),
        residency=fields.texts("residency"),
        zones=fields.texts("zones"),
    )


def merge_loads(reports: Iterable[WorkerReport]) -> dict[str, ModelLoad]:
    """The load of a site from those of its workers: counts add up, slots do not, for all share one model server.

    `service_ms` is the mean of the workers' measurements, weighted by the arrivals behind them.
    """
    by_model: dict[str, list[ModelLoad]] = {}
    for report in reports:
        for model, load in report.models.items():
            by_model.setdefault(model, []).append(load)
    return {model: _merged(loads) for model, loads in by_model.items()}


def merge_counters(counters: Iterable[GatewayCounters]) -> GatewayCounters:
    """Counters add up. Percentiles do not: p50 is the mean weighted by requests, p99 the worst worker's."""
    everyone = list(counters)
    with_p50 = [(one.added_ms_p50, max(1, one.requests)) for one in everyone if one.added_ms_p50 is not None]
    p99s = [one.added_ms_p99 for one in everyone if one.added_ms_p99 is not None]
    return GatewayCounters(
        requests=sum(one.requests for one in everyone),
        ok=sum(one.ok for one in everyone),
        shed=sum(one.shed for one in everyone),
        failed=sum(one.failed for one in everyone),
        refused=sum(one.refused for one in everyone),
        retried=sum(one.retried for one in everyone),
        hung_up=sum(one.hung_up for one in everyone),
        telemetry_dropped=sum(one.telemetry_dropped for one in everyone),
        requests_per_s=sum(one.requests_per_s for one in everyone),
        added_ms_p50=sum(ms * n for ms, n in with_p50) / sum(n for _, n in with_p50) if with_p50 else None,
        added_ms_p99=max(p99s, default=None),
        by_site=_added(one.by_site for one in everyone),
        by_reason=_added(one.by_reason for one in everyone),
        by_model=_added(one.by_model for one in everyone),
        late=sum(one.late for one in everyone),
    )


def _admin(fields: Fields) -> str | None:
    admin = fields.text_or_none("admin")
    if admin is not None and not _ORIGIN.fullmatch(admin):
        raise DocumentInvalid("report.admin must be http://HOST:PORT")
    return admin


def _counters(fields: Fields) -> GatewayCounters:
    stats = fields.object_or_empty("stats")
    return GatewayCounters(
        requests=stats.count("requests", 0),
        ok=stats.count("ok", 0),
        shed=stats.count("shed", 0),
        failed=stats.count("failed", 0),
        refused=stats.count("refused", 0),
        retried=stats.count("retried", 0),
        hung_up=stats.count("hung_up", 0),
        telemetry_dropped=stats.count("telemetry_dropped", 0),
        requests_per_s=stats.number("requests_per_s", 0.0),
        added_ms_p50=stats.number_or_none("added_ms_p50"),
        added_ms_p99=stats.number_or_none("added_ms_p99"),
        by_site=stats.counts("by_site"),
        by_reason=stats.counts("by_reason"),
        by_model=stats.counts("by_model"),
        late=stats.count("late", 0),
    )


def _merged(loads: list[ModelLoad]) -> ModelLoad:
    measured = [(load.service_ms, load.arrivals_per_s) for load in loads if load.service_ms > 0.0]
    weight = sum(arrivals for _, arrivals in measured)
    if weight > 0.0:
        service_ms = sum(ms * arrivals for ms, arrivals in measured) / weight
    else:
        service_ms = sum(ms for ms, _ in measured) / max(1, len(measured))
    return ModelLoad(
        in_flight=sum(load.in_flight for load in loads),
        slots=max(load.slots for load in loads),
        service_ms=service_ms,
        ready=any(load.ready for load in loads),
        arrivals_per_s=sum(load.arrivals_per_s for load in loads),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
