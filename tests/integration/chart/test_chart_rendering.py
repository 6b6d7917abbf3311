"""Every example renders to what Kubernetes accepts, and to a configuration that EdgeMind accepts."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

import edgemind
from edgemind.settings import Settings, load_settings
from tests.support.chart import CHART, EXAMPLES, Manifest, configuration, named, of_kind, pods, rendered
from tests.support.helm import run_helm

pytestmark = pytest.mark.engine
ids = [path.stem for path in EXAMPLES]
every_example = pytest.mark.parametrize("example", EXAMPLES, ids=ids)
SITE = CHART / "examples" / "values-site.yaml"
GPU = CHART / "examples" / "values-gpu.yaml"
BEDROCK = CHART / "examples" / "values-bedrock.yaml"


def loaded(manifests: list[Manifest], folder: Path) -> Settings:
    file = folder / "edgemind.yaml"
    file.write_text(configuration(manifests), encoding="utf-8")
    return load_settings(file, {}, resolve_secrets=False)


def annotation(manifests: list[Manifest], deployment: str) -> str:
    pod = named(manifests, "Deployment", deployment)["spec"]["template"]
    text: str = pod["metadata"]["annotations"]["edgemind.io/restart-for"]
    return text


@every_example
def test_it_lints(example: Path) -> None:
    answer = run_helm("lint", "--strict", CHART, "--values", example)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@every_example
@pytest.mark.parametrize("version", ["1.30", "1.35"])
def test_kubernetes_knows_every_field(example: Path, version: str) -> None:
    validate: Any = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed").validate
    for manifest in rendered(example):
        assert validate(manifest, version, strict=True) == version


@every_example
def test_the_configuration_is_valid_and_leads_to_this_release(example: Path, tmp_path: Path) -> None:
    manifests = rendered(example)
    settings = loaded(manifests, tmp_path)
    site = settings.site(yaml.safe_load(example.read_text(encoding="utf-8"))["site"]["name"])
    ports = {
        (service["metadata"]["name"], port["port"])
        for service in of_kind(manifests, "Service")
        for port in service["spec"]["ports"]
    }
    own = [site.admin_url, site.controller_url, *(one.base_url for one in site.endpoints if "edgemind" in one.base_url)]
    assert {(urlsplit(str(url)).hostname, urlsplit(str(url)).port) for url in own} <= ports
    served = [one for one in of_kind(manifests, "Deployment") if "-model-" in one["metadata"]["name"]]
    assert len(own) == 2 + len(served), "each model server has its model in the configuration"


def test_other_sites_and_the_own_outside_address_stay_as_they_are(tmp_path: Path) -> None:
    settings = loaded(rendered(CHART / "examples" / "values-cpu.yaml"), tmp_path)
    here, there = settings.site("site-a"), settings.site("site-b")
    assert here.gateway_url == "http://gateway.site-a.example:8100"
    assert here.controller_url == "http://edgemind-controller:8200"
    assert here.rtt_ms == {"site-b": 3.0}
    assert there.controller_url == "http://controller.site-b.example:8200"


def test_numbers_arrive_as_they_were_written(tmp_path: Path) -> None:
    """Helm reads them as floating point: 10485760 must not come out as 1.048576e+07."""
    limits = {"max_body_bytes": 10_485_760, "max_deadline_ms": 86_400_000, "first_byte_timeout_s": 0.5}
    server = {"name": "x", "engine": "simulated", "model": "simulated-x", "slots": 65_536, "serviceMs": 3_600_000}
    manifests = rendered(SITE, {"config": {"limits": limits}, "modelServers": [server]})
    settings = loaded(manifests, tmp_path)
    assert settings.limits.max_body_bytes == 10_485_760
    assert settings.limits.first_byte_timeout_s == 0.5
    assert settings.site("site-a").endpoints[0].slots == 65_536
    mistral = rendered(GPU, {"modelServers": [{**yaml.safe_load(GPU.read_text())["modelServers"][0], "slots": 65_536}]})
    command = named(mistral, "Deployment", "edgemind-model-mistral")["spec"]["template"]["spec"]["containers"][0]
    assert "--max-num-seqs=65536" in command["args"]


def test_only_what_a_process_cannot_take_up_starts_its_pods_anew() -> None:
    before = rendered(SITE)
    reloaded = rendered(SITE, {"config": {"limits": {"max_body_bytes": 1024}, "routing": {"policy": "local_first"}}})
    moved = rendered(SITE, {"config": {"metro": "another"}})
    for name in ("edgemind-gateway", "edgemind-controller"):
        assert annotation(reloaded, name) == annotation(before, name)
        assert annotation(moved, name) != annotation(before, name)
    slower = yaml.safe_load(SITE.read_text(encoding="utf-8"))["modelServers"]
    slower[0]["slots"] = 1
    changed = rendered(SITE, {"modelServers": slower})
    assert annotation(changed, "edgemind-model-llama") != annotation(before, "edgemind-model-llama")
    assert annotation(changed, "edgemind-model-load") == annotation(before, "edgemind-model-load")


def test_a_gateway_has_time_for_its_drain_and_what_is_under_way() -> None:
    manifests = rendered(SITE, {"config": {"limits": {"drain_s": 20.5}}, "gateway": {"finishSeconds": 100}})
    pod = named(manifests, "Deployment", "edgemind-gateway")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 121


def test_state_in_a_table_needs_no_volume() -> None:
    kept = rendered(SITE)
    assert named(kept, "PersistentVolumeClaim", "edgemind-state")
    elsewhere = rendered(SITE, {"config": {"state": {"store": "dynamodb", "table": "swarm"}}})
    assert not of_kind(elsewhere, "PersistentVolumeClaim")
    assert not [v for _, pod in pods(elsewhere) for v in pod["spec"]["volumes"] if v["name"] == "state"]


def test_only_the_controller_can_write_keys() -> None:
    """Devices speak to gateways: nobody makes himself a key there."""
    manifests = rendered(SITE)
    for name, read_only in (("gateway", True), ("controller", False)):
        container = named(manifests, "Deployment", f"edgemind-{name}")["spec"]["template"]["spec"]["containers"][0]
        state = next(mount for mount in container["volumeMounts"] if mount["name"] == "state")
        assert state["readOnly"] is read_only


def test_bedrock_is_declared_as_the_cloud_tier_of_the_sites_gateways(tmp_path: Path) -> None:
    changes = {"bedrockProxy": {"replicas": 3}, "config": {"bedrock": {"models": [{"name": "a", "model_id": "b.c"}]}}}
    manifests = rendered(BEDROCK, changes)
    settings = loaded(manifests, tmp_path)
    assert settings.cloud is not None
    (model,) = settings.cloud.models
    assert (settings.cloud.name, settings.cloud.rtt_ms, settings.cloud.zones) == ("bedrock", 15.0, frozenset({"eu"}))
    assert (model.name, model.base_url, model.slots) == ("a", "http://edgemind-bedrock-proxy:8500/v1", 3 * 16)
    assert settings.bedrock is not None
    assert str(model.key) == str(settings.bedrock.key) == "file:/run/edgemind/secrets/bedrock-key"
    assert named(manifests, "Deployment", "edgemind-bedrock-proxy")["spec"]["replicas"] == 3
    ports = named(manifests, "Service", "edgemind-bedrock-proxy")["spec"]["ports"]
    assert [port["port"] for port in ports] == [8500]


def test_the_proxy_holds_its_own_key_and_no_other_secret() -> None:
    for changes, source in (
        ({}, {"secret": "edgemind-secrets"}),
        ({"bedrockProxy": {"secretProviderClass": "edgemind-bedrock"}}, {"csi": "edgemind-bedrock"}),
    ):
        pod = named(rendered(BEDROCK, changes), "Deployment", "edgemind-bedrock-proxy")["spec"]["template"]["spec"]
        (volume,) = (one for one in pod["volumes"] if one["name"] == "secrets")
        if "csi" in source:
            assert volume["csi"]["volumeAttributes"] == {"secretProviderClass": source["csi"]}
        else:
            assert volume["secret"]["secretName"] == source["secret"]
            assert [item["key"] for item in volume["secret"]["items"]] == ["bedrock-key"]


def test_what_the_proxy_cannot_take_up_starts_its_pods_anew() -> None:
    before = rendered(BEDROCK)
    bedrock = yaml.safe_load(BEDROCK.read_text(encoding="utf-8"))["config"]["bedrock"]
    changed = rendered(BEDROCK, {"config": {"bedrock": {**bedrock, "answer_timeout_s": 60}}})
    assert annotation(changed, "edgemind-bedrock-proxy") != annotation(before, "edgemind-bedrock-proxy")
    assert annotation(changed, "edgemind-gateway") == annotation(before, "edgemind-gateway")
    drain = {"config": {"bedrock": {**bedrock, "drain_s": 59.5}}}
    pod = named(rendered(BEDROCK, drain), "Deployment", "edgemind-bedrock-proxy")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == 75


def test_secrets_may_come_from_a_store_outside_the_cluster() -> None:
    manifests = rendered(SITE, {"secrets": {"providerClass": "edgemind-fleet"}})
    for name in ("gateway", "controller"):
        volumes = named(manifests, "Deployment", f"edgemind-{name}")["spec"]["template"]["spec"]["volumes"]
        mounted = next(volume for volume in volumes if volume["name"] == "secrets")
        assert mounted["csi"]["volumeAttributes"] == {"secretProviderClass": "edgemind-fleet"}


def test_the_chart_is_of_the_version_of_the_code() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == edgemind.__version__


def test_the_notes_end_with_a_command_that_works_here() -> None:
    notes = run_helm("install", "edgemind", CHART, "--dry-run=client", "--namespace", "mec", "--values", SITE).stdout
    notes = notes.partition("NOTES:")[2]
    assert "kubectl -n mec exec deployment/edgemind-controller -- edgemind keys create" in notes
    assert "curl http://127.0.0.1:8100/v1/chat/completions" in notes
    assert '"model": "smollm2-135m"' in notes
