"""The beacon: a site's load report to a neighbour, as an object and as the document on the wire."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from edgemind.domain.routing.overlay import Shift
from edgemind.domain.suspicion import NUMBER_LIMIT, Rumours, usable
from edgemind.domain.swarm.documents import message_document, parse_message
from edgemind.domain.swarm.messages import Announce
from edgemind.domain.swarm.records import Fence
from edgemind.domain.wire import DocumentInvalid, Fields

BEACON_VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelLoad:
    """One model at one site.

    `slots` are those of all `replicas`, 0 for a model that devices ask for here and that the site does not hold. Up to
    `max_replicas` can be had here; a site of a version before replicas has one, for good. `service_ms` is the measured
    expected time of one request with nothing queued. `arrivals_per_s` is what devices ask for at this ingress, wherever
    it is then served: a request that a neighbour forwarded is in the neighbour's arrivals.
    """

    in_flight: int
    slots: int
    service_ms: float
    ready: bool = True
    arrivals_per_s: float = 0.0
    replicas: int = 1
    max_replicas: int = 1

    @property
    def has_capacity(self) -> bool:
        return self.ready and self.slots > 0 and self.service_ms > 0.0


@dataclass(frozen=True, slots=True)
class Beacon:
    """A site's load at one moment.

    `incarnation` grows with every start of the site's controller, `seq` with every beacon of that start: the two order
    beacons without comparing clocks. `rtt_ms` are the round trips this site measured, so that every controller fills
    its table from the same distances. `shifts` are what rounds decided about this site's overflow, one a model.
    """

    site: str
    incarnation: int
    seq: int
    draining: bool = False
    models: Mapping[str, ModelLoad] = field(default_factory=dict)
    rtt_ms: Mapping[str, float] = field(default_factory=dict)
    rumours: Rumours = field(default_factory=Rumours)
    newest: Announce | None = None
    """The newest round whose outcome the sender knows: who missed its announcement learns of it so."""
    shifts: tuple[Shift, ...] = ()

    @property
    def number(self) -> int:
        """Under which the sender can be suspected: a sender that refutes nothing raises it with each start."""
        return max(self.incarnation, self.rumours.refutation)

    def supersedes(self, other: "Beacon | None") -> bool:
        """Whether this one was written later: beacons may overtake each other on the way."""
        return other is None or (self.incarnation, self.seq) > (other.incarnation, other.seq)


def parse_beacon(document: object) -> Beacon:
    """A beacon from its JSON document; DocumentInvalid names the first field that is wrong."""
    fields = Fields(document, "beacon")
    if fields.count("v") < BEACON_VERSION:
        raise DocumentInvalid(f"beacon.v must be {BEACON_VERSION} or newer: upgrade the site that sent it")
    return Beacon(
        site=fields.text("site"),
        incarnation=fields.count("incarnation"),
        seq=fields.count("seq"),
        draining=fields.flag("draining", False),
        models=parse_model_loads(fields),
        rtt_ms=fields.numbers("rtt_ms"),
        shifts=tuple(_parse_shift(shift) for shift in fields.listed("shifts")),
        rumours=Rumours(
            refutation=min(fields.count("refutation", 0), NUMBER_LIMIT),
            suspects=usable(fields.counts("suspects")),
            refuted=usable(fields.counts("refuted")),
        ),
        newest=_read_newest(fields),
    )


def _read_newest(fields: Fields) -> Announce | None:
    """None also for what a later version decides and this one cannot read: the rest of its beacon still counts."""
    if fields.anything("newest") is None:
        return None
    with suppress(DocumentInvalid):
        message = parse_message(fields.anything("newest"))
        return message if isinstance(message, Announce) else None
    return None


def parse_model_loads(fields: Fields) -> dict[str, ModelLoad]:
    """The `models` of a beacon or of a gateway worker's report, which share their shape."""
    return {
        model: ModelLoad(
            in_flight=round(load.number("in_flight")),
            slots=load.count("slots"),
            service_ms=load.number("service_ms"),
            ready=load.flag("ready", True),
            arrivals_per_s=load.number("arrivals_per_s", 0.0),
            replicas=load.count("replicas", 1),
            max_replicas=load.count("max_replicas", 1),
        )
        for model, load in fields.objects("models").items()
    }


def beacon_document(beacon: Beacon) -> dict[str, object]:
    """The document that `parse_beacon` reads."""
    return {
        "v": BEACON_VERSION,
        "site": beacon.site,
        "incarnation": beacon.incarnation,
        "seq": beacon.seq,
        "draining": beacon.draining,
        "models": {
            model: {
                "in_flight": load.in_flight,
                "slots": load.slots,
                "service_ms": load.service_ms,
                "ready": load.ready,
                "arrivals_per_s": load.arrivals_per_s,
                "replicas": load.replicas,
                "max_replicas": load.max_replicas,
            }
            for model, load in beacon.models.items()
        },
        "rtt_ms": dict(beacon.rtt_ms),
        "shifts": [
            {
                "model": shift.model,
                "to": shift.to,
                "percent": shift.percent,
                "epoch": shift.fence.epoch,
                "round": shift.fence.round,
            }
            for shift in beacon.shifts
        ],
        "refutation": beacon.rumours.refutation,
        "suspects": dict(beacon.rumours.suspects),
        "refuted": dict(beacon.rumours.refuted),
        "newest": None if beacon.newest is None else message_document(beacon.newest),
    }


def _parse_shift(fields: Fields) -> Shift:
    fence = Fence(fields.count("epoch"), fields.count("round"))
    return Shift(fields.text("model"), fields.text("to"), min(100, fields.count("percent")), fence)
