"""Fifty sites under hostile requests, scraped: as many series as the budget says, and none by what a client sent."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edgemind.domain.fleet import Fleet, ModelEndpoint, Site, Tier
from edgemind.domain.monitoring.cardinality import (
    ALL_REASONS,
    BOUNDS,
    SERIES_PER_50_SITES,
    FleetSize,
    budget,
    series_of,
)
from edgemind.domain.monitoring.metrics import CONTROLLER, GATEWAY
from edgemind.entrypoints.controller.metrics import ControllerCollector, MetricSources
from edgemind.entrypoints.gateway.app import Parts
from edgemind.entrypoints.gateway.metrics import exposition
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.operations.own_measures import OwnMeasures
from edgemind.services.rounds.round_counts import RoundCounts
from tests.support.clocks import ManualClock
from tests.support.controllers import Metro
from tests.support.gateway_parts import router

SITES, MODELS = 50, ("m0", "m1", "m2")
NEAR, REASONS = 4, ("table", "override", "session", "cloud")
SIZE = FleetSize(sites=SITES, models=3, used=NEAR + 2, places=4, reasons=4, watched=4)
NAMES = ["site-a", *(f"site-{number:02}" for number in range(1, SITES))]

Series = set[tuple[str, tuple[tuple[str, str], ...]]]


def declared(place: int) -> Site:
    """On a ring: the farther along it, the farther away."""
    rtt_ms = {NAMES[(place + step) % SITES]: 1.0 + min(step, SITES - step) for step in range(1, SITES)}
    servers = tuple(ModelEndpoint(model, f"http://s{place}:1/{model}", 4, 20.0) for model in MODELS)
    return Site(
        NAMES[place], frozenset(), servers, gateway_url=f"http://g{place}:1", controller_url=f"http://c{place}:1",
        rtt_ms=rtt_ms,
    )  # fmt: skip


FLEET = Fleet(
    "test",
    tuple(declared(place) for place in range(SITES)),
    Site("cloud", frozenset(), (ModelEndpoint("m0", "http://c:1", 64, 20.0),), tier=Tier.CLOUD, rtt_ms={"*": 40.0}),
    (),
)


def series(text: bytes) -> Series:
    found = [sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples]
    unique = {(sample.name, tuple(sorted(sample.labels.items()))) for sample in found}
    assert len(unique) == len(found)
    return unique


@pytest.fixture(scope="module")
def gateway() -> Series:
    """Of one site that sends near by and to the cloud, after requests of every kind."""
    of = router(FLEET)
    of.use_table(SimpleNamespace(version=1, computed_at_ms=0, weights={}))  # type: ignore[arg-type]
    stats = GatewayStats()
    for name in ("site-a", "site-01", "site-02", "site-49", "site-48", "cloud"):
        for reason in REASONS:
            for model in MODELS:
                stats.routed(name, reason, model)
    for name in ("site-01", "site-02", "site-49", "site-48"):
        of.sent(of.targets[f"{name}/m0"].candidate)
    parts: Any = SimpleNamespace(router=of, stats=stats, clock=ManualClock())

    async def scrape() -> bytes:
        return exposition(cast(Parts, parts))

    return series(asyncio.run(scrape()))


@pytest.fixture(scope="module")
def controllers() -> dict[str, Series]:
    metro = Metro(FLEET)
    driver = SimpleNamespace(unheard=0, store_ms=5.0, store_failures=0)
    rounds: Any = SimpleNamespace(status=SimpleNamespace(store_ok=True, roster=NAMES), driver=driver)

    def scrape(name: str) -> bytes:
        controller = metro.controllers[name]
        ages = OwnMeasures(lambda: controller, metro.clock).ages_ms
        registry = CollectorRegistry(auto_describe=False)
        registry.register(
            ControllerCollector(MetricSources(lambda: controller, lambda: rounds, RoundCounts(), ages, metro.clock))
        )
        return generate_latest(registry)

    for controller in metro.controllers.values():
        controller.heartbeat.beat()
    return {name: series(scrape(name)) for name in NAMES}


def test_fifty_sites_are_within_the_budget(gateway: Series, controllers: dict[str, Series]) -> None:
    fleet = SITES * len(gateway) + sum(map(len, controllers.values()))
    assert fleet <= budget(SIZE) <= SERIES_PER_50_SITES


def test_no_metric_has_more_series_than_the_table_says(gateway: Series, controllers: dict[str, Series]) -> None:
    for metrics, found in ((GATEWAY, gateway), *((CONTROLLER, one) for one in controllers.values())):
        known = {name: metric for metric in metrics for name in metric.series}
        told = {name for name, _ in found}
        assert told <= known.keys()
        for metric in metrics:
            count = sum(known.get(name) is metric for name, _ in found)
            assert count <= max(1, series_of(metric, SIZE)), metric.name


def test_every_set_of_labels_has_a_bound() -> None:
    assert {metric.labels for metric in (*GATEWAY, *CONTROLLER)} == BOUNDS.keys()


def test_each_site_is_told_of_by_the_few_nearest_to_it(controllers: dict[str, Series]) -> None:
    told = [
        dict(labels)["site"] for found in controllers.values() for name, labels in found if name == "edgemind_site_up"
    ]
    assert {name: told.count(name) for name in NAMES} == dict.fromkeys(NAMES, 4)


def test_at_its_worst_a_fleet_is_still_bounded_by_its_configuration() -> None:
    """Everybody sends everywhere near, for every reason there is, and every place is ejected."""
    worst = FleetSize(
        sites=SITES,
        models=3,
        used=SITES + 1,
        places=3 * SITES,
        reasons=ALL_REASONS,
        watched=SITES,
        ejected=3 * SITES + 1,
    )
    assert budget(worst) < 10 * SERIES_PER_50_SITES
