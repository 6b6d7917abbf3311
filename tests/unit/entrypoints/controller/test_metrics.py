"""The controller's metrics over whole sites that really decide a round."""

import asyncio
from collections import Counter

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from edgemind.domain.monitoring.metrics import CONTROLLER
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.metrics import MetricSources, MetricsRoute
from edgemind.ports.swarm_store import StoreUnavailable
from edgemind.services.operations.own_measures import OwnMeasures
from tests.support.asgi import AsgiAnswer, ask
from tests.support.swarm_sites import CROWD, NAMES, SwarmSites

ACCESS = AccessRules({Role.VIEWER: "look"}, "between-sites")


async def a_round(sites: SwarmSites) -> None:
    await sites.turn(2)
    sites.in_flight["site-a"] = CROWD
    await sites.decided("1.1")


async def no_store(sites: SwarmSites) -> None:
    await sites.turn(2)
    sites.store.error = StoreUnavailable("nobody listens")
    sites.in_flight["site-a"] = CROWD
    await sites.until(lambda: sites.rounds["site-a"].driver.trouble is not None)


@pytest.fixture(scope="module")
def after_a_round() -> SwarmSites:
    return played(a_round)


def played(play: object) -> SwarmSites:
    async def main() -> SwarmSites:
        sites = SwarmSites()
        try:
            async with asyncio.timeout(20):
                await play(sites)  # type: ignore[operator]
        finally:
            await sites.close()
        return sites

    return asyncio.run(main())


def scraped(sites: SwarmSites, name: str, token: str = "look") -> AsgiAnswer:
    sources = MetricSources(
        lambda: sites.controller(name),
        lambda: sites.rounds[name],
        sites.histories[name].counts,
        OwnMeasures(lambda: sites.controller(name), sites.metro.clock).ages_ms,
        sites.metro.clock,
    )
    app = Starlette(routes=[MetricsRoute(sources, lambda: ACCESS).route()])
    return ask(app, "GET", "/metrics", {"authorization": f"Bearer {token}"})


def families(sites: SwarmSites, name: str) -> dict[str, Metric]:
    answer = scraped(sites, name)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.body.decode())}


def value(found: dict[str, Metric], name: str) -> float:
    [sample] = found[name].samples
    return sample.value


def test_exactly_the_metrics_of_the_table_are_exposed(after_a_round: SwarmSites) -> None:
    found = families(after_a_round, "site-b")
    assert {(name, family.type) for name, family in found.items()} == {
        (metric.name, metric.kind.value) for metric in CONTROLLER
    }
    for metric in CONTROLLER:
        samples = found[metric.name].samples
        assert {sample.name for sample in samples} == set(metric.series)
        assert {frozenset(sample.labels) - {"le"} for sample in samples} == {frozenset(metric.labels)}


def test_the_metros_round_is_counted_at_one_site(after_a_round: SwarmSites) -> None:
    outcomes, decided = Counter[str](), 0.0
    for name in NAMES:
        found = families(after_a_round, name)
        for sample in found["edgemind_swarm_rounds"].samples:
            outcomes[sample.labels["outcome"]] += int(sample.value)
        decided += sum(
            one.value for one in found["edgemind_swarm_decided_seconds"].samples if one.name.endswith("_count")
        )
    assert {outcome: count for outcome, count in outcomes.items() if count} == {"shift": 1}
    assert decided == 1


def test_what_it_did_is_counted_where_it_was_done(after_a_round: SwarmSites) -> None:
    applied = {
        name: sample.value
        for name in NAMES
        for sample in families(after_a_round, name)["edgemind_swarm_effects"].samples
        if sample.labels["state"] == "applied"
    }
    assert applied == {"site-a": 1, "site-b": 0, "site-c": 0}


def test_the_others_reports_are_fresh_and_the_own_site_is_not_among_them(after_a_round: SwarmSites) -> None:
    ages = families(after_a_round, "site-b")["edgemind_site_report_age_seconds"].samples
    assert [sample.labels["site"] for sample in ages] == ["site-a", "site-c"]
    assert value(families(after_a_round, "site-b"), "edgemind_swarm_roster_sites") == 3


def test_a_store_out_of_reach_shows() -> None:
    found = families(played(no_store), "site-a")
    assert value(found, "edgemind_swarm_store_up") == 0
    assert value(found, "edgemind_swarm_store_failures") >= 3


def test_only_who_may_read_the_fleet_api_may_read_metrics(after_a_round: SwarmSites) -> None:
    answer = scraped(after_a_round, "site-a", token="wrong")
    assert (answer.status, answer.error()["code"]) == (401, "invalid_token")
