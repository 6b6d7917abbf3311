"""The demo's fleet as data: sites, zones, declared distances, ports and models."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from edgemind.domain.device_mixes import DETECTOR, EMBEDDER, REAL_LLM, SIMULATED_LLM
from edgemind.domain.fleet import Engine

HOST = "127.0.0.1"
MAX_SITES = len(ascii_lowercase)
PORTS_USED = 502
"""From the base port on."""
CLOUD = "simulated-cloud"
CLOUD_RTT_MS = 40.0
MAX_REPLICAS = 3
"""Of a simulated model. The real one has the cores that the laptop has."""
ZONES = (("local", "eu", "de"), ("local", "eu", "de"), ("local", "eu", "nl"))
"""A metro across a border: every third site lies on its other side."""


TOWNS = (
    # Of the zones above: the third of each three lies across the border. Latitude, longitude.
    ("Cologne", 50.94, 6.96), ("Frankfurt", 50.11, 8.68), ("Amsterdam", 52.37, 4.90),
    ("Munich", 48.14, 11.58), ("Hamburg", 53.55, 9.99), ("Groningen", 53.22, 6.57),
    ("Berlin", 52.52, 13.40), ("Stuttgart", 48.78, 9.18), ("Eindhoven", 51.44, 5.48),
    ("Leipzig", 51.34, 12.37), ("Hanover", 52.37, 9.73), ("Maastricht", 50.85, 5.69),
    ("Nuremberg", 49.45, 11.08), ("Bremen", 53.08, 8.80), ("Zwolle", 52.52, 6.08),
    ("Dresden", 51.05, 13.74), ("Dortmund", 51.51, 7.47), ("Rotterdam", 51.92, 4.48),
    ("Rostock", 54.09, 12.10), ("Freiburg", 47.99, 7.85), ("Enschede", 52.22, 6.89),
    ("Kiel", 54.32, 10.14), ("Erfurt", 50.98, 11.03), ("Leeuwarden", 53.20, 5.79),
    ("Kassel", 51.31, 9.49), ("Regensburg", 49.02, 12.10),
)  # fmt: skip
"""Where the demo says that its sites are; all of them are on this machine."""


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A model as every site declares it."""

    name: str
    slots: int
    service_ms: float
    engine: Engine
    size_gb: float = 0.0
    max_replicas: int = 1


SIMULATED_MODELS = (
    DemoModel(DETECTOR, 4, 15, Engine.SIMULATED, max_replicas=MAX_REPLICAS),
    DemoModel(SIMULATED_LLM, 3, 400, Engine.SIMULATED, max_replicas=MAX_REPLICAS),
    DemoModel(EMBEDDER, 4, 8, Engine.SIMULATED, max_replicas=MAX_REPLICAS),
)
LLAMA_MODEL = DemoModel(REAL_LLM, 2, 400, Engine.LLAMA_CPP, 0.1)
CLOUD_MODELS = (
    DemoModel(DETECTOR, 16, 15, Engine.SIMULATED),
    DemoModel(SIMULATED_LLM, 16, 400, Engine.SIMULATED),
    DemoModel(EMBEDDER, 16, 8, Engine.SIMULATED),
)


@dataclass(frozen=True, slots=True)
class DemoSite:
    """One site and its ports."""

    index: int
    name: str
    zones: tuple[str, ...]
    gateway_port: int
    controller_port: int
    admin_port: int
    simulated_port: int
    llama_port: int
    latitude: float
    longitude: float

    @property
    def gateway_url(self) -> str:
        return url(self.gateway_port)

    @property
    def controller_url(self) -> str:
        return url(self.controller_port)


@dataclass(frozen=True, slots=True)
class DemoFleet:
    """`llama` tells whether the real model is served."""

    sites: tuple[DemoSite, ...]
    base_port: int
    llama: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(site.name for site in self.sites)

    @property
    def cloud_port(self) -> int:
        return self.base_port + 400

    @property
    def page_port(self) -> int:
        return self.base_port + 500

    @property
    def control_port(self) -> int:
        return self.base_port + 501

    @property
    def models(self) -> tuple[DemoModel, ...]:
        """What every site holds."""
        return (LLAMA_MODEL, *SIMULATED_MODELS) if self.llama else SIMULATED_MODELS

    @property
    def chat_model(self) -> str:
        """What to ask by hand."""
        return LLAMA_MODEL.name if self.llama else SIMULATED_LLM

    def site(self, name: str) -> DemoSite:
        return next(site for site in self.sites if site.name == name)

    def ingresses(self) -> dict[str, Sequence[str]]:
        """For each site's devices, all sites from the nearest."""
        return {site.name: [other.name for other in self._nearest_first(site)] for site in self.sites}

    def _nearest_first(self, site: DemoSite) -> list[DemoSite]:
        return sorted(self.sites, key=lambda other: (distance_ms(site, other), other.index))


def demo_fleet(sites: int, base_port: int, *, llama: bool) -> DemoFleet:
    return DemoFleet(tuple(_site(index, base_port) for index in range(sites)), base_port, llama)


def distance_ms(one: DemoSite, other: DemoSite) -> float:
    """The declared round trip: sites along a line, fibre and three hops between neighbours."""
    apart = abs(one.index - other.index)
    return 0.0 if apart == 0 else 2.0 + 3.0 * apart


def url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _site(index: int, base_port: int) -> DemoSite:
    return DemoSite(
        index=index,
        name=f"site-{ascii_lowercase[index]}",
        zones=ZONES[index % len(ZONES)],
        gateway_port=base_port + index,
        controller_port=base_port + 100 + index,
        admin_port=base_port + 200 + index,
        simulated_port=base_port + 300 + 2 * index,
        llama_port=base_port + 301 + 2 * index,
        latitude=TOWNS[index][1],
        longitude=TOWNS[index][2],
    )
