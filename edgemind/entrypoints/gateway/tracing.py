"""A worker's tracing, as its configuration wants it."""

from random import Random

from edgemind import bootstrap
from edgemind.ports.clock import Clock
from edgemind.services.decision_spans import DecisionTracing
from edgemind.services.sync_gateway import WorkerIdentity
from edgemind.settings import Settings


def open_tracing(settings: Settings, identity: WorkerIdentity, clock: Clock, rng: Random) -> DecisionTracing:
    sink = bootstrap.open_span_sink(settings, identity.site, "gateway", f"{identity.site}-{identity.worker}")
    return DecisionTracing(identity.site, bootstrap.keep_rule(settings), sink, clock, rng)
