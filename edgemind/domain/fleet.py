"""What a fleet is made of: sites, the model servers they hold, and the tenants they serve."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase


class Tier(StrEnum):
    """Where a model server stands: at a MEC site, or in the cloud behind all of them."""

    EDGE = "edge"
    CLOUD = "cloud"


class DeviceClass(StrEnum):
    """The kind of device that sent a request; a site may serve only some of them."""

    MOBILE = "mobile"
    IOT = "iot"
    XR = "xr"
    VEHICLE = "vehicle"


class Engine(StrEnum):
    """What runs behind a model's address. `EXTERNAL` is somebody else's server, never started by EdgeMind."""

    EXTERNAL = "external"
    LLAMA_CPP = "llama_cpp"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """The declared service-time distribution of a simulated model; `sigma` is that of the log for `lognormal`."""

    distribution: str = "lognormal"
    sigma: float = 0.2


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """One model served at one address.

    `base_url` may end in `/v1` as OpenAI clients write it. `slots` is how many requests it works on at once,
    `service_ms` the expected time for one of them with nothing queued: a prior, replaced by measurement. `load_ms` is
    the time to load the model when it is cold. `key` is the resolved bearer token for this upstream, if it wants one.
    `max_replicas` is how often a site may run it, each replica with `slots`; 1 cannot be scaled.
    """

    model: str
    base_url: str
    slots: int
    service_ms: float
    engine: Engine = Engine.EXTERNAL
    size_gb: float = 0.0
    load_ms: float = 0.0
    key: str | None = field(default=None, repr=False)
    simulated: ServiceTime | None = None
    max_replicas: int = 1


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees north and east. For people who look at a map: nothing is routed by it."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Site:
    """A MEC host location with its model servers, or the cloud tier seen as one more site.

    `zones` are the residency zones the site lies in (`de` and `eu`, say). An empty `device_classes` admits every class.
    `rtt_ms` holds declared round trips to other sites by name; measured ones replace them. For the cloud tier, whose
    round trip is the same from everywhere, the name is `*`.
    """

    name: str
    zones: frozenset[str]
    endpoints: tuple[ModelEndpoint, ...]
    gateway_url: str | None = None
    admin_url: str | None = None
    controller_url: str | None = None
    device_classes: frozenset[DeviceClass] = frozenset()
    rtt_ms: Mapping[str, float] = field(default_factory=dict)
    tier: Tier = Tier.EDGE
    position: Position | None = None

    def models(self) -> tuple[str, ...]:
        """Model names held here, each once, in declared order."""
        return tuple(dict.fromkeys(endpoint.model for endpoint in self.endpoints))


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who may ask for what. `models` are shell-style patterns; an empty `residency` allows every zone.

    `rate_per_s` and `burst` bound the whole tenant at one site; a gateway divides them by its workers.
    """

    name: str
    models: tuple[str, ...] = ("*",)
    residency: frozenset[str] = frozenset()
    rate_per_s: float = 100.0
    burst: float = 200.0

    def may_use(self, model: str) -> bool:
        return any(fnmatchcase(model, pattern) for pattern in self.models)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that is declared: the sites of one metro, the optional cloud tier behind them, and the tenants."""

    metro: str
    sites: tuple[Site, ...]
    cloud: Site | None = None
    tenants: tuple[Tenant, ...] = ()

    def with_sites(self, more: Iterable[Site]) -> "Fleet":
        """With sites that joined; one that is declared stays as declared."""
        names = {site.name for site in self.sites}
        return replace(self, sites=(*self.sites, *(site for site in more if site.name not in names)))

    def site(self, name: str) -> Site | None:
        return next((site for site in self.sites if site.name == name), None)

    def tenant(self, name: str) -> Tenant | None:
        return next((tenant for tenant in self.tenants if tenant.name == name), None)

    def models(self) -> tuple[str, ...]:
        """Every model name served anywhere, sorted."""
        everywhere = (*self.sites, self.cloud) if self.cloud else self.sites
        return tuple(sorted({model for site in everywhere for model in site.models()}))
