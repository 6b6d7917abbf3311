"""The demo's edgemind.yaml is one that a user could have written."""

import shutil
from pathlib import Path

import pytest

from edgemind.domain.fleet import Engine
from edgemind.entrypoints.demo.configuration import demo_configuration
from edgemind.entrypoints.demo.folder import DemoFolder, claimed_folder
from edgemind.entrypoints.demo.layout import CLOUD, MAX_SITES, PORTS_USED, demo_fleet, distance_ms
from edgemind.entrypoints.demo.plans import fleet_plans
from edgemind.settings import load_settings


@pytest.mark.parametrize("sites", [1, 3, MAX_SITES])
@pytest.mark.parametrize("llama", [True, False])
def test_it_is_valid(tmp_path: Path, sites: int, llama: bool) -> None:
    layout = demo_fleet(sites, 8100, llama=llama)
    settings = DemoFolder(tmp_path).fill(demo_configuration(layout, "least_request"))
    fleet = settings.fleet()
    assert [site.name for site in fleet.sites] == list(layout.names)
    assert settings.routing.policy.value == "least_request"
    assert settings.limits.drain_s == 0.5
    assert fleet.cloud is not None
    assert fleet.cloud.name == CLOUD
    engines = {endpoint.engine for site in fleet.sites for endpoint in site.endpoints}
    assert (Engine.LLAMA_CPP in engines) is llama
    assert [tenant.name for tenant in fleet.tenants] == ["demo"]


def test_the_ports_are_the_documented_ones() -> None:
    site = demo_fleet(3, 8100, llama=True).sites[1]
    assert (site.gateway_port, site.controller_port, site.admin_port) == (8101, 8201, 8301)
    assert (site.simulated_port, site.llama_port) == (8402, 8403)
    layout = demo_fleet(3, 8100, llama=True)
    assert (layout.cloud_port, layout.page_port) == (8500, 8600)


def test_no_two_listeners_share_a_port() -> None:
    layout = demo_fleet(MAX_SITES, 8100, llama=True)
    ports = [layout.cloud_port, layout.page_port]
    for site in layout.sites:
        ports += [site.gateway_port, site.controller_port, site.admin_port, site.simulated_port, site.llama_port]
    assert len(set(ports)) == len(ports)
    assert max(ports) < 8100 + PORTS_USED


def test_devices_try_the_nearest_ingress_first() -> None:
    layout = demo_fleet(4, 8100, llama=False)
    assert layout.ingresses()["site-c"] == ["site-c", "site-b", "site-d", "site-a"]
    assert distance_ms(layout.sites[0], layout.sites[0]) == 0.0


def test_a_copy_works_where_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with claimed_folder() as folder:
        folder.fill(demo_configuration(demo_fleet(2, 8100, llama=False), "hybrid"))
        shutil.copytree(folder.path, tmp_path / "mine")
    settings = load_settings(tmp_path / "mine" / "edgemind.yaml")
    assert settings.state.directory == tmp_path / "mine" / "state"


def test_every_process_has_a_name_of_its_own_and_says_when_it_is_ready() -> None:
    layout = demo_fleet(3, 8100, llama=True)
    plans = fleet_plans(layout, Path("edgemind.yaml"), seed=3)
    assert len({plan.name for plan in plans}) == len(plans) == 13
    assert len({plan.ready_url for plan in plans}) == 13
    assert {plan.site for plan in plans} == {*layout.names, None}
    assert len(fleet_plans(demo_fleet(3, 8100, llama=False), Path("edgemind.yaml"), seed=3)) == 10
