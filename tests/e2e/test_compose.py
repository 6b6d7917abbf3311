"""deploy/compose.yaml with a real Docker engine: up and healthy, each site answers, one is cut off, one killed."""

import contextlib
import json
import platform
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import edgemind
from edgemind.adapters.inference.llama_wheels import BUNDLED_MODEL, missing_cpu_features
from tests.support.compose_fleet import SITES, ComposeFleet, until
from tests.support.engines import docker as docker_engine
from tests.support.engines import docker_images
from tests.support.serving import free_port
from tests.support.wire import ask

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(1200)]

LOCKS = ("aws", "agents", "demo", "ministack", "valkey", "llama", "smollm2")
"""What the images are installed from; core is within aws."""
MB = 1_000_000
GATEWAY_LIMIT_MB = 300
CPU = Path("/proc/cpuinfo")
LACKING = missing_cpu_features(platform.machine(), CPU.read_text(encoding="utf-8") if CPU.exists() else "")
JSON = {"content-type": "application/json"}
REAL_MODEL = """\
version: 1
auth: "off"
sites:
- name: site-a
  models:
  - {name: smollm2-135m, base_url: 'http://127.0.0.1:8400/v1', slots: 2, service_ms: 400, engine: llama_cpp}
"""
SETTLED = 100
"""Requests, at 12 a second: longer than what was under way into a cut can take."""
GIVEN_UP = {"suspected", "gone"}


@pytest.fixture(scope="module")
def fleet() -> Iterator[ComposeFleet]:
    """Built, and up. The tests below go on where the one before stopped."""
    if reason := docker_engine.why_not() or docker_images.why_not():
        pytest.skip(reason)
    with contextlib.ExitStack() as running:
        folder = running.enter_context(docker_engine.scratch_folder())
        try:
            docker = running.enter_context(docker_engine.running(folder))
        except PermissionError as exc:
            pytest.skip(f"platform: this machine lets nobody run containers: {exc}")
        one = ComposeFleet(docker, docker_images.provide(docker, folder, LOCKS))
        running.callback(one.run, "down")
        one.compose("build", "--quiet")
        one.run("up")
        yield one


def _all_alive(fleet: ComposeFleet, asked: str) -> bool:
    return set(fleet.states(asked).values()) == {"alive"}


def _after(fleet: ComposeFleet, requests: int) -> dict[str, Any]:
    """What the devices have seen when they have sent so many more requests."""
    goal = fleet.devices()["requests"]["sent"] + requests
    until(f"devices sent {requests} requests", lambda: fleet.devices()["requests"]["sent"] >= goal)
    return fleet.devices()


def _healthy(fleet: ComposeFleet, container: str) -> bool:
    state = fleet.docker.run("inspect", "--format", "{{.State.Status}} {{.State.Health.Status}}", container)
    assert state.startswith("running"), f"{state}: {fleet.docker.run('logs', container)}"
    return state == "running healthy"


def test_everything_is_healthy_and_locked_down(fleet: ComposeFleet) -> None:
    containers = fleet.containers()
    assert {name: one.condition for name, one in containers.items() if not one.well} == {}
    assert {name for name, one in containers.items() if one.condition == "done"} == {"prepare"}
    for container in containers.values():
        (seen,) = json.loads(fleet.docker.run("inspect", container.name))
        assert seen["Config"]["User"] == "10001:10001", container.name
        assert seen["HostConfig"]["ReadonlyRootfs"], container.name
        assert seen["HostConfig"]["Memory"] > 0, container.name
    everything = fleet.run("status")
    assert all(name in everything for name in containers)


def test_images_say_their_version_and_the_gateways_is_small(fleet: ComposeFleet) -> None:
    for name in ("gateway", "controller", "model-server", "dashboard", "state-store", "valkey"):
        (image,) = json.loads(fleet.docker.run("image", "inspect", f"edgemind-{name}:test"))
        assert image["Config"]["Labels"]["org.opencontainers.image.version"] == edgemind.__version__, name
        assert image["Config"]["User"] == "10001:10001", name
        assert image["Config"]["Healthcheck"]["Test"], name
        assert name != "gateway" or image["Size"] < GATEWAY_LIMIT_MB * MB


def test_strands_agents_vote_for_the_sites(fleet: ComposeFleet) -> None:
    for site in SITES:
        said = fleet.compose("logs", "--no-color", f"{site}-controller")
        assert "a Strands agent votes for this site" in said, said


def test_each_site_answers_and_is_registered(fleet: ComposeFleet) -> None:
    key = fleet.key()
    for site in SITES:
        answer = fleet.detect(site, key)
        assert answer.status == 200, answer
        assert answer["x-edgemind-site"] in SITES
        assert fleet.detect(site, "em_00000000_wrong").status == 401
        assert fleet.states(site) == dict.fromkeys(SITES, "alive")
    assert ask(fleet.page, "GET", "/_stcore/health").status == 200
    until("devices of all sites were answered", lambda: min(fleet.devices()["sent_by_site"].values()) > 10)
    assert fleet.devices()["requests"]["failed"] == 0


def test_a_site_cut_off_serves_its_devices_and_rejoins(fleet: ComposeFleet) -> None:
    key = fleet.key()
    fleet.run("cut", "site-a")
    until("the others gave up site-a", lambda: fleet.states("site-b")["site-a"] in GIVEN_UP)
    until("site-a gave up the others", lambda: {fleet.states("site-a")[one] for one in SITES[1:]} <= GIVEN_UP)
    for _ in range(20):
        own, other = fleet.detect("site-a", key), fleet.detect("site-b", key)
        assert (own.status, own["x-edgemind-site"]) == (200, "site-a"), own
        assert other.status == 200, other
        assert other["x-edgemind-site"] != "site-a"
    # What was under way when the network went may have failed, its deadline being over before anybody could know.
    known = _after(fleet, SETTLED)
    assert _after(fleet, 40)["requests"]["failed"] == known["requests"]["failed"], known["failures"]
    fleet.run("rejoin", "site-a")
    for site in SITES:
        until(f"{site} sees all sites again", partial(_all_alive, fleet, site))
    assert fleet.containers()["site-a-gateway"].well
    assert _after(fleet, 40)["requests"]["failed"] == known["requests"]["failed"], fleet.devices()["failures"]


def test_a_killed_site_fails_over_and_comes_back(fleet: ComposeFleet) -> None:
    key = fleet.key()
    members = [f"site-c-{part}" for part in ("gateway", "controller", "models")]
    fleet.compose("kill", *members)
    until("site-a knows that site-c is gone", lambda: fleet.states("site-a")["site-c"] in GIVEN_UP)
    until("site-b knows that site-c is gone", lambda: fleet.states("site-b")["site-c"] in GIVEN_UP)
    for _ in range(20):
        for site in SITES[:2]:
            answer = fleet.detect(site, key)
            assert answer.status == 200, answer
            assert answer["x-edgemind-site"] in SITES[:2]
    known = _after(fleet, SETTLED)
    after = _after(fleet, 60)
    assert after["requests"]["failed"] == known["requests"]["failed"], after["failures"]
    assert after["sent_by_site"]["site-c"] > known["sent_by_site"]["site-c"]
    assert after["reattached"] > 0
    fleet.run("up")
    until("site-c is back", partial(_all_alive, fleet, "site-a"))
    assert fleet.detect("site-c", key).status == 200


def test_up_again_keeps_the_key_and_a_site_that_is_none_is_refused(fleet: ComposeFleet) -> None:
    key = fleet.key()
    assert key in fleet.run("up")
    with pytest.raises(AssertionError, match="running are site-a, site-b, site-c"):
        fleet.run("cut", "site-z")


@pytest.mark.skipif(bool(LACKING), reason=f"platform: this CPU lacks {', '.join(LACKING)}, which llama.cpp needs")
def test_the_model_server_image_holds_a_real_model(fleet: ComposeFleet, tmp_path: Path) -> None:
    image, port = "edgemind-model-server:test-llama", free_port()
    fleet.compose("build", "--quiet", "--build-arg", "ENGINE=llama_cpp", "site-a-models")
    fleet.docker.run("tag", "edgemind-model-server:test", image)
    config = tmp_path / "edgemind.yaml"
    config.write_text(REAL_MODEL)
    config.chmod(0o644)
    name = fleet.docker.run(
        "run", "--detach", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--publish",
        f"127.0.0.1:{port}:8400", "--volume", f"{config}:/etc/edgemind/edgemind.yaml:ro", image, "model-server",
        "--config", "edgemind.yaml", "--site", "site-a", "--model", BUNDLED_MODEL, "--bind", "0.0.0.0",
    )  # fmt: skip
    try:
        until("the model is loaded", partial(_healthy, fleet, name))
        question = {"model": BUNDLED_MODEL, "max_tokens": 8, "messages": [{"role": "user", "content": "Say hello."}]}
        answer = ask(port, "POST", "/v1/chat/completions", json.dumps(question).encode(), JSON)
        assert answer.status == 200, answer
        assert answer.json()["choices"][0]["message"]["content"].strip()
        assert answer.json()["usage"]["completion_tokens"] > 0
    finally:
        fleet.docker.run("rm", "--force", name)


def test_down_leaves_nothing(fleet: ComposeFleet) -> None:
    assert fleet.left_over() != []
    assert "nothing is left but the images" in fleet.run("down")
    assert fleet.left_over() == []
