"""The admin listener: health, metrics, load, table."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgemind.domain.monitoring.metrics import GATEWAY
from tests.support.house import House

LABELS = {"site", "model", "reason", "le"}


def test_alive_and_ready(house: House) -> None:
    assert house.gateway.admin("/healthz").status == 200
    assert house.gateway.admin("/readyz").status == 200


def test_metrics_are_prometheus_and_their_labels_bounded(house: House) -> None:
    for _ in range(20):
        house.chat(house.model("duo"))
        house.chat("no-such-model", headers={"x-edgemind-residency": "zz"})
    answer = house.gateway.admin("/metrics")
    assert answer["content-type"].startswith("text/plain")
    families = list(text_string_to_metric_families(answer.body.decode()))
    assert all(family.documentation for family in families)
    names = {family.name for family in families}
    assert len(names) == len(families)
    assert all(name.startswith("edgemind_gateway_") for name in names - {"edgemind_telemetry_dropped"})
    samples = [sample for family in families for sample in family.samples]
    assert {label for sample in samples for label in sample.labels} <= LABELS
    known = {name for document in house.folder.document["sites"] for name in [document["name"]]} | {"cloud"}
    assert {sample.labels["site"] for sample in samples if "site" in sample.labels} <= known
    assert not any("no-such-model" in sample.labels.values() for sample in samples)


def test_counters_say_what_happened(house: House) -> None:
    def counted() -> dict[str, float]:
        return house.gateway.metrics()

    model = house.model("duo")
    before = counted()
    house.chat(model)
    house.chat(model, fake={"a": {"do": "die"}})
    house.chat(model, fake={"*": {"do": "die"}})
    house.chat(house.model("solo"), headers={"x-edgemind-deadline-ms": "1"})
    house.chat("nonesuch")
    after = counted()
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    expected = {"requests": 4, "ok": 2, "shed": 1, "failed": 1, "refused": 1, "retried": 2}
    assert {name: grown[f"edgemind_gateway_{name}_total"] for name in expected} == expected
    assert grown["edgemind_gateway_routed_by_reason_total{retry}"] == 1
    assert grown["edgemind_gateway_routed_by_site_total{site-b}"] == 1
    assert grown[f"edgemind_gateway_routed_by_model_total{{{model}}}"] == 2
    assert grown["edgemind_gateway_first_byte_seconds_count"] == 2


def test_load_shows_every_candidate(house: House) -> None:
    model = house.model("trio")
    rows = [row for row in house.gateway.admin("/edgemind/v1/load").json()["candidates"] if row["model"] == model]
    assert {(row["site"], row["slots"], row["circuit"]) for row in rows} == {
        ("site-a", 4, "closed"), ("site-b", 4, "closed"), ("cloud", 8, "closed")
    }  # fmt: skip
    running = house.call(model, fake={"*": {"gated": True}})
    with house.begin(running) as wire:
        house.upstreams.wait_seen(running.marker)
        assert house.gateway.load(model, "site-a")["own"] == 1
        house.upstreams.release(running.marker)
        wire.answer()
    assert house.gateway.load(model, "site-a")["own"] == 0


def test_without_a_controller_the_table_is_empty_and_says_so(house: House) -> None:
    table = house.gateway.admin("/edgemind/v1/table").json()
    assert table == {"version": 0, "computed_at_ms": 0, "age_s": None, "weights": {}}
    assert house.gateway.admin("/edgemind/v1/load").json()["controller"] is None


@pytest.mark.parametrize("path", ["/", "/v1/models", "/edgemind/v1/nonesuch"])
def test_it_serves_nothing_else(house: House, path: str) -> None:
    assert house.gateway.admin(path).status == 404


def test_devices_do_not_reach_it_through_the_gateway(house: House) -> None:
    for path in ("/metrics", "/healthz", "/edgemind/v1/load", "/edgemind/v1/decisions/x"):
        assert house.get(path).status == 404


def test_the_metrics_of_the_table_are_exposed(house: House) -> None:
    house.chat(house.model("solo"))
    text = house.gateway.admin("/metrics").body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for metric in GATEWAY:
        if metric.name == "edgemind_gateway_table_age_seconds" and metric.name not in families:
            # There is no table without a controller.
            continue
        assert families[metric.name].type == metric.kind.value
        for sample in families[metric.name].samples:
            assert sample.name in metric.series
            assert set(sample.labels) - {"le"} == set(metric.labels)
