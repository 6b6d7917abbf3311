"""What the fleet API shows of a fleet: one site's view of every site, in shapes that become the OpenAPI document."""

from dataclasses import dataclass, field

from edgemind.domain.audit.status import AuditStatus
from edgemind.domain.fleet import Position
from edgemind.domain.membership import SiteState
from edgemind.domain.worker_reports import DecisionSummary, GatewayCounters


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One model at one site; `service_ms` is measured where requests ran, else declared.

    `slots` are those of all `replicas` that are ready; `max_replicas` is as many as the site can run, 1 if it cannot
    scale the model.
    """

    model: str
    in_flight: int
    slots: int
    service_ms: float
    ready: bool
    arrivals_per_s: float
    replicas: int = 1
    max_replicas: int = 1


@dataclass(frozen=True, slots=True)
class TableStatus:
    """The routing table of an ingress: model -> site -> requests per second."""

    site: str
    version: int
    computed_at_ms: int
    age_ms: float
    weights: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """The gateway workers of a site that reported within the last second, and what they counted together."""

    workers: int
    draining: bool
    table_version: int
    counters: GatewayCounters


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the site gets along with the state store. Nothing on the request path needs it."""

    ok: bool
    failures: int
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class SwarmStatus:
    """How the site takes part in rounds. `known` is the newest round whose outcome it knows, `store_ms` the decayed
    mean of its calls of the swarm's store; with more than some 10 ms a round does not fit in 100 ms.
    """

    known: str
    member: bool
    roster: list[str]
    store_ok: bool
    store_ms: float
    last_error: str | None
    messages_lost: int


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One site. What only its own controller knows (gateway, table age, store, swarm, audit) is null without its word.

    `rtt_ms` and `beacon_age_ms` are as seen from the site that was asked; null for itself. `heartbeat_age_ms` is the
    age of the site's entry in the registry. `position` is what edgemind.yaml of the asked site says.
    """

    name: str
    state: SiteState
    zones: list[str]
    models: list[ModelStatus]
    requests_per_s: float
    gateway_url: str | None = None
    controller_url: str | None = None
    rtt_ms: float | None = None
    beacon_age_ms: float | None = None
    heartbeat_age_ms: float | None = None
    table_version: int | None = None
    table_age_ms: float | None = None
    gateway: GatewayStatus | None = None
    store: StoreStatus | None = None
    swarm: SwarmStatus | None = None
    audit: AuditStatus | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """The metro as `asked` sees it at `at_ms` (wall time)."""

    metro: str
    asked: str
    at_ms: int
    requests_per_s: float
    sites: list[SiteStatus]


@dataclass(frozen=True, slots=True)
class SiteList:
    sites: list[SiteStatus]


@dataclass(frozen=True, slots=True)
class HeldModel:
    """One site that holds a model, with the site's state."""

    site: str
    state: SiteState
    in_flight: int
    slots: int
    service_ms: float
    ready: bool
    arrivals_per_s: float


@dataclass(frozen=True, slots=True)
class FleetModel:
    """A model and every edge site that holds it; `in_cloud` tells that the cloud tier serves it too."""

    model: str
    in_flight: int
    slots: int
    arrivals_per_s: float
    in_cloud: bool
    held_at: list[HeldModel] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModelList:
    models: list[FleetModel]


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """Decisions, newest first. `next_cursor` asks for older ones; null at the end. `unreachable` sites are missing."""

    decisions: list[DecisionSummary]
    next_cursor: str | None = None
    unreachable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DrainStatus:
    """Whether a site takes new requests. In effect at its gateways within 100 ms, at its neighbours within 200 ms."""

    site: str
    draining: bool
