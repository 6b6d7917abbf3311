import json
from pathlib import Path

import pytest

from benchmarks.memory import MemorySample, growth_ratio
from benchmarks.peers.base import Bench
from benchmarks.peers.catalogue import PEERS, choose
from benchmarks.peers.edgemind_gateway import EDGEMIND
from benchmarks.peers.edgemind_gateway import configuration as edgemind_configuration
from benchmarks.peers.envoy import configuration as envoy_configuration
from benchmarks.processes import StartError
from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.domain.keys import KeyRing
from edgemind.settings import load_settings


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, 9000, (9001, 9002, 9003), tmp_path / "environments")


def test_peers_are_chosen_by_name():
    assert [peer.name for peer in choose("envoy, litellm")] == ["envoy", "litellm"]
    assert {peer.name for peer in choose("all")} == set(PEERS)
    assert {"edgemind", "envoy", "vllm-router"} <= {peer.name for peer in choose("default")}
    with pytest.raises(ValueError, match="uvicorn\\+aiohttp"):
        choose("nginx")


def test_envoy_balances_over_every_upstream():
    text = json.dumps(envoy_configuration(9000, [9001, 9002], "30s"))
    assert "LEAST_REQUEST" in text
    assert "30s" in text
    assert all(f'"port_value": {port}' in text for port in (9000, 9001, 9002))


def test_our_gateway_gets_a_key_that_its_store_knows(bench):
    launch = EDGEMIND.prepare(bench)
    keys = JsonFileStateStore(bench.directory / "state").list_keys()
    assert KeyRing(keys).tenant_for(b"Bearer " + launch.key.encode()) == "bench"


def test_our_configuration_is_one_that_the_gateway_takes(bench):
    EDGEMIND.prepare(bench)
    settings = load_settings(bench.directory / "edgemind.yaml", {})
    assert settings.auth == "keys"
    assert [site.name for site in settings.sites] == ["bench", "bench-1", "bench-2"]


def test_our_gateway_reaches_every_upstream(bench):
    sites = edgemind_configuration(bench, 9100, 9200)["sites"]
    assert isinstance(sites, list)
    assert [site["models"][0]["base_url"] for site in sites] == [f"{url}/v1" for url in bench.upstream_urls()]
    assert [bool(site.get("gateway")) for site in sites] == [True, False, False]


@pytest.mark.parametrize("name", ["litellm", "sglang-router"])
def test_a_peer_that_is_not_there_says_how_to_get_it(bench, name):
    with pytest.raises(StartError, match="--peers all"):
        PEERS[name].prepare(bench)


def test_growth_is_measured_after_the_first_tenth():
    samples = [MemorySample(requests, mb, 0) for requests, mb in [(0, 20.0), (10, 50.0), (50, 52.0), (100, 51.0)]]
    assert growth_ratio(samples) == pytest.approx(0.04)
