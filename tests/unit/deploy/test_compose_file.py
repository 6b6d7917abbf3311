"""The rules of deploy/compose.yaml, and that its configuration speaks of the same containers and networks."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from edgemind.settings import load_settings

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
SETTINGS = load_settings(DEPLOY / "edgemind-compose.yaml", resolve_secrets=False)
SITES = [site.name for site in SETTINGS.sites]
ONCE = {"prepare"}
every_service = pytest.mark.parametrize("name", SERVICES)


def image_health_check(service: dict[str, Any]) -> bool:
    dockerfile = DEPLOY.parent / service["build"]["dockerfile"]
    return "\nHEALTHCHECK " in dockerfile.read_text(encoding="utf-8")


@every_service
def test_a_service_may_do_only_what_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    refused = {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode", "container_name"}
    assert not refused & set(service)
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    writable = [mount["target"] for mount in service.get("volumes", ()) if not mount.get("read_only")]
    assert writable == {"prepare": ["/var/lib/edgemind"], "state-store": ["/var/lib/state-store"]}.get(name, [])
    assert not [mount for mount in service.get("volumes", ()) if "docker.sock" in str(mount)]


@every_service
def test_a_service_is_watched_and_what_waits_for_it_waits_for_its_health(name: str) -> None:
    service = SERVICES[name]
    assert name in ONCE or image_health_check(service)
    assert service["healthcheck"].get("disable", False) is (name in ONCE)
    for other, wait in service.get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert wait == {"condition": expected}, other
        assert other in SERVICES


@every_service
def test_ports_are_this_machines_alone_and_can_be_changed(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{EDGEMIND_[A-Z_]+PORT:-\d+\}:\d+", port)


def test_every_variable_has_a_default_and_every_name_is_declared() -> None:
    assert not re.findall(r"\$\{\w+\}|\$\w", TEXT)
    used = {network for service in SERVICES.values() for network in service["networks"]}
    assert used == set(PROJECT["networks"])
    volumes = {mount["source"] for service in SERVICES.values() for mount in service.get("volumes", ())
               if mount["type"] == "volume"}  # fmt: skip
    assert volumes == set(PROJECT["volumes"])
    binds = {mount["source"] for service in SERVICES.values() for mount in service.get("volumes", ())
             if mount["type"] == "bind"}  # fmt: skip
    assert all((DEPLOY / source).is_file() for source in binds)


@pytest.mark.parametrize("site", SITES)
def test_a_site_has_its_network_and_only_its_doors_are_on_the_metro(site: str) -> None:
    parts = {part: set(SERVICES[f"{site}-{part}"]["networks"]) for part in ("gateway", "controller", "models")}
    assert parts == {"gateway": {site, "metro"}, "controller": {site, "metro"}, "models": {site}}
    assert site in SERVICES["devices"]["networks"]
    assert "metro" not in SERVICES["devices"]["networks"]
    for part in parts:
        command = SERVICES[f"{site}-{part}"]["command"]
        assert command[command.index("--site") + 1] == site


def test_agents_vote_for_every_site() -> None:
    for site in SITES:
        assert SERVICES[f"{site}-controller"]["command"][-2:] == ["--voter", "auto"]


def test_the_configuration_names_these_containers() -> None:
    assert {f"{site}-gateway" for site in SITES} == {name for name in SERVICES if name.endswith("-gateway")}
    for site in SETTINGS.sites:
        models = {model.base_url for model in site.models}
        assert models == {f"http://{site.name}-models:8400"}
        assert (site.gateway, site.admin, site.controller) == (
            f"http://{site.name}-gateway:8100", f"http://{site.name}-gateway:8150",
            f"http://{site.name}-controller:8200",
        )  # fmt: skip
    store = urlsplit(SETTINGS.state.endpoint_url or "")
    assert (store.hostname, store.port) == ("state-store", 8000)
    assert SERVICES["prepare"]["command"] == [SETTINGS.state.table]
    assert SERVICES["prepare"]["environment"]["AWS_ENDPOINT_URL"] == SETTINGS.state.endpoint_url
    assert SERVICES["prepare"]["environment"]["AWS_DEFAULT_REGION"] == SETTINGS.aws.region


def test_what_the_sites_share_is_reached_by_no_other_network() -> None:
    assert PROJECT["networks"]["metro"] == {"internal": True}
    assert SERVICES["state-store"]["networks"] == SERVICES["valkey"]["networks"] == ["metro"]
