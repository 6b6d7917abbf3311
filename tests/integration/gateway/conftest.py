"""Gateways that several tests share; what a test does to a model's health stays with that model (`House.model`)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, fleet_document
from tests.support.house import House

GROUPS: dict[str, dict[str, tuple[int, float]]] = {
    "solo": {"a": (4, 20.0)},
    "duo": {"a": (4, 20.0), "b": (4, 20.0)},
    "trio": {"a": (4, 20.0), "b": (4, 20.0), "c": (8, 20.0)},
    "slow-with-cloud": {"a": (4, 100.0), "c": (8, 10.0)},
    "one-slot": {"a": (1, 1000.0)},
    "two-speeds": {"a": (4, 60.0), "b": (4, 20.0)},
    "far": {"b": (4, 20.0)},
    "fragile": {"d": (4, 20.0), "b": (4, 20.0)},
}
"""Per group of models: slots and service time (ms) at each upstream that serves them."""
PER_GROUP = 160
MAX_BODY_BYTES = 1 << 20
REPLAY_BYTES = 1 << 16


def models_at(upstreams: FakeUpstreams, place: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{group}-{number}",
            "base_url": f"{upstreams.url(place)}/v1",
            "slots": places[place][0],
            "service_ms": places[place][1],
            **more,
        }
        for group, places in GROUPS.items()
        if place in places
        for number in range(PER_GROUP)
    ]


@pytest.fixture(scope="session")
def upstreams() -> Iterator[FakeUpstreams]:
    with FakeUpstreams("a", "b", "c", "d") as running:
        yield running


@pytest.fixture(scope="session")
def house(upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Site A with a gateway, site B reached directly (rtt 5 ms), and a cloud tier (rtt 40 ms)."""
    document = fleet_document(
        [
            {
                "name": "site-a",
                "zones": ["local", "de"],
                "rtt_ms": {"site-b": 5.0},
                "models": models_at(upstreams, "a") + models_at(upstreams, "d"),
            },
            {
                "name": "site-b",
                "zones": ["fr"],
                "device_classes": ["mobile", "iot"],
                "models": models_at(upstreams, "b"),
            },
        ],
        cloud={
            "name": "cloud",
            "zones": ["us"],
            "rtt_ms": 40,
            "models": models_at(upstreams, "c", key="file:cloud.key"),
        },
        tenants=[
            {"name": "demo", "models": ["*"], "rate_per_s": 100_000, "burst": 100_000},
            {"name": "narrow", "models": ["solo-*"]},
            {"name": "hurried", "models": ["*"], "rate_per_s": 0.01, "burst": 2},
            {"name": "german", "models": ["*"], "residency": ["de"]},
        ],
        limits={
            "max_body_bytes": MAX_BODY_BYTES,
            "replay_bytes_per_request": REPLAY_BYTES,
            "replay_bytes_total": REPLAY_BYTES * 4,
            "drain_s": 0,
        },
        routing={"session_margin_ms": 50},
    )
    path = tmp_path_factory.mktemp("house")
    (path / "cloud.key").write_text("cloud-key-0123456789")
    folder = FleetFolder(path, document)
    keys = {tenant: folder.new_key(tenant) for tenant in ("demo", "narrow", "hurried", "german")}
    with GatewayProcess(folder, "site-a", "--port", "0") as gateway:
        yield House(gateway, folder, upstreams, keys)


@pytest.fixture(scope="session")
def strict(upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway of one site with short time limits and few connections."""
    site = {"name": "site-a", "models": models_at(upstreams, "a")}
    limits = {
        "header_timeout_s": 0.4,
        "idle_timeout_s": 0.8,
        "first_byte_timeout_s": 0.5,
        "max_connections": 30,
        "max_body_bytes": 150_000,
        "body_bytes_total": 200_000,
        "max_json_values": 1000,
        "drain_s": 0,
    }
    folder = FleetFolder(tmp_path_factory.mktemp("strict"), fleet_document([site], auth="off", limits=limits))
    with GatewayProcess(folder, "site-a", "--port", "0") as gateway:
        yield House(gateway, folder, upstreams, {"demo": "none-needed"})
