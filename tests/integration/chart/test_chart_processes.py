"""What the chart renders really starts: every process with its own arguments, and two gateways of one site."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import CHART, rendered
from tests.support.chart_processes import ChartSite, PodProcess, Reply
from tests.support.controller_processes import until
from tests.support.engines.aws import REGION
from tests.support.engines.converse import ConverseServer

pytestmark = [pytest.mark.engine, pytest.mark.slow]
BEDROCK = "amazon.nova-lite-v1:0"
SERVICES = {
    "edgemind-gateway": "127.0.8.2",
    "edgemind-gateway-admin": "127.0.8.2",
    "edgemind-controller": "127.0.8.4",
    "edgemind-model-load": "127.0.8.5",
    "edgemind-bedrock-proxy": "127.0.8.6",
}
CHANGES: dict[str, Any] = {
    "modelServers": [{"name": "load", "engine": "simulated", "model": "simulated-vision", "serviceMs": 5}],
    "config": {"limits": {"drain_s": 2}},
}
VIEWER = {"authorization": "Bearer viewer-token-of-this-test"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ChartSite]:
    with ChartSite(rendered(CHART / "examples" / "values-site.yaml", CHANGES), tmp_path, SERVICES) as running:
        yield running


def start(site: ChartSite, deployment: str, address: str) -> PodProcess:
    pod = site.start(deployment, address)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        until(lambda: pod.probe(probe) == 200, f"{probe} of {deployment}")  # noqa: B023 - called at once
    return pod


def new_key(site: ChartSite) -> str:
    """As the notes of the chart say."""
    command = [sys.executable, "-m", "edgemind", "keys", "create", "--config", str(site.config), "--tenant", "demo"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def chat(gateway: PodProcess, key: str) -> Reply:
    body = {"model": "simulated-vision", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello."}]}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return gateway.ask("POST", "/v1/chat/completions", headers, body)


def workers(controller: PodProcess) -> Any:
    gateway = controller.ask("GET", "/edgemind/v1/sites/site-a", VIEWER).document["gateway"]
    return gateway and gateway["workers"]


def test_a_site_of_two_gateways_serves_explains_and_lets_one_go(site: ChartSite) -> None:
    start(site, "edgemind-model-load", SERVICES["edgemind-model-load"])
    controller = start(site, "edgemind-controller", SERVICES["edgemind-controller"])
    gateways = [start(site, "edgemind-gateway", f"127.0.8.{number}") for number in (2, 3)]
    key = new_key(site)
    until(lambda: all(chat(gateway, key).status == 200 for gateway in gateways), "both gateways know the key")
    until(lambda: workers(controller) == 2, "the controller tells them apart")

    for gateway in gateways:
        decision = chat(gateway, key).headers["x-request-id"]
        told = controller.ask("GET", f"/edgemind/v1/decisions/{decision}", VIEWER)
        assert (told.status, told.document["id"], told.document["chosen"]) == (200, decision, "site-a")

    leaving, staying = gateways
    site.stop(leaving)
    until(lambda: leaving.probe("readinessProbe") == 503, "it is taken out of its Service")
    assert chat(leaving, key).status == 200, "and serves those who have not heard"
    assert leaving.process.wait(timeout=30) == 0
    until(lambda: workers(controller) == 1, "the controller notices")
    assert chat(staying, key).status == 200


def test_a_changed_configmap_is_taken_without_a_restart(site: ChartSite) -> None:
    start(site, "edgemind-model-load", SERVICES["edgemind-model-load"])
    gateway = start(site, "edgemind-gateway", "127.0.8.2")
    assert chat(gateway, "em_wrong").status == 401
    site.configure("auth: off\n" + site.config.read_text(encoding="utf-8"))
    until(lambda: chat(gateway, "em_wrong").status == 200, "keys are off")


def test_a_site_with_bedrock_as_its_cloud(tmp_path: Path, converse: ConverseServer) -> None:
    models = [{"name": "nova", "model_id": BEDROCK}]
    bedrock = {"region": REGION, "endpoint_url": converse.url, "models": models}
    changes = {**CHANGES, "bedrockProxy": {"enabled": True}, "config": {**CHANGES["config"], "bedrock": bedrock}}
    with ChartSite(rendered(CHART / "examples" / "values-site.yaml", changes), tmp_path, SERVICES) as site:
        start(site, "edgemind-model-load", SERVICES["edgemind-model-load"])
        start(site, "edgemind-bedrock-proxy", SERVICES["edgemind-bedrock-proxy"])
        gateway = start(site, "edgemind-gateway", "127.0.8.2")
        key = new_key(site)
        until(lambda: chat(gateway, key).status == 200, "the gateway knows the key")
        asked = {"model": "nova", "messages": [{"role": "user", "content": "Hello."}]}
        told = gateway.ask("POST", "/v1/chat/completions", {"authorization": f"Bearer {key}"}, asked)
        assert told.document["choices"][0]["message"]["content"] == "Hello from Bedrock."
        assert told.headers["x-edgemind-site"] == "bedrock"
        assert converse.calls(BEDROCK)[-1].signed
