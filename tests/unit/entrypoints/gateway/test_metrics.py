import asyncio
from typing import Any, cast

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from edgemind.domain.routing.table import RoutingTable
from edgemind.entrypoints.gateway.app import Parts
from edgemind.entrypoints.gateway.metrics import exposition, table_age_s
from edgemind.services.gateway_stats import GatewayStats
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import endpoint, fleet, router, site


class FewParts:
    """What the metrics read of a worker's parts."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        two_servers = site("site-a", endpoint(), endpoint(url="http://a:2"), endpoint("n"))
        self.router = router(fleet(two_servers, site("site-b", endpoint(), gateway="http://b:1")), self.clock)
        self.stats = GatewayStats()


def samples(parts: FewParts) -> list[Sample]:
    async def scrape() -> bytes:
        return exposition(cast(Parts, parts))

    text = asyncio.run(scrape()).decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(parts: FewParts, name: str, **labels: str) -> float:
    (found,) = (one.value for one in samples(parts) if one.name == f"edgemind_gateway_{name}" and one.labels == labels)
    return found


def test_two_servers_of_one_model_are_one_series() -> None:
    parts = FewParts()
    first, second = (parts.router.targets[f"site-a/m@{url}"].candidate for url in ("http://a:1/v1", "http://a:2"))
    parts.router.sent(first)
    parts.router.sent(second)
    parts.router.sent(second)
    parts.router.failed(second, unreachable=True)
    assert value(parts, "in_flight", site="site-a", model="m") == 2
    assert value(parts, "ejected", site="site-a", model="m") == 1
    seen = [(one.name, tuple(sorted(one.labels.items()))) for one in samples(parts)]
    assert len(seen) == len(set(seen))


def test_counters_and_histograms() -> None:
    parts = FewParts()
    parts.stats.requests, parts.stats.reload_failures = 7, 2
    parts.stats.routed("site-a", "table", "m")
    for latency_ms in (0.3, 40.0, 1e9):
        parts.stats.first_byte.observe(latency_ms)
    assert (value(parts, "requests_total"), value(parts, "reload_failures_total")) == (7, 2)
    assert value(parts, "routed_by_reason_total", reason="table") == 1
    buckets: dict[str, Any] = {
        one.labels["le"]: one.value
        for one in samples(parts)
        if one.name == "edgemind_gateway_first_byte_seconds_bucket"
    }
    assert buckets == {"0.05": 2, "0.2": 2, "1": 2, "5": 2, "+Inf": 3}
    assert value(parts, "first_byte_seconds_count") == 3


def test_a_table_has_an_age_once_there_is_one() -> None:
    parts = FewParts()
    assert table_age_s(cast(Parts, parts)) is None
    parts.router.use_table(RoutingTable(1, parts.clock.wall_ms(), {}))
    parts.clock.advance(2.5)
    assert value(parts, "table_age_seconds") == 2.5
    parts.router.use_table(RoutingTable(2, parts.clock.wall_ms() + 9000, {}))
    assert table_age_s(cast(Parts, parts)) == 0.0, "clocks of two machines differ"
