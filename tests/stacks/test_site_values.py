"""What the workloads stack gives to the chart: a release of each site that helm renders and EdgeMind reads."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgemind.settings import load_settings
from stacks.constructs.site_release import SECRET_FILES
from stacks.environments import ENVIRONMENTS
from stacks.image_names import FAMILIES, given
from stacks.plans import Environment, SitePlan
from stacks.site_values import RELEASE, site_values
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import ROOT, run_app
from tests.support.helm import run_helm

CHART = ROOT / "deploy" / "helm" / "edgemind"
IMAGE = "registry.example/edgemind:1.2.3"
SITES = [(plan, site) for plan in ENVIRONMENTS.values() for site in plan.sites]
every_site = pytest.mark.parametrize(("plan", "site"), SITES, ids=[f"{plan.name}-{site.name}" for plan, site in SITES])

Manifest = dict[str, Any]


def rendered(plan: Environment, site: SitePlan) -> list[Manifest]:
    values = site_values(plan, site, given(IMAGE), plan.region(site.region).cidr)
    namespace = f"edgemind-{site.name}"
    answer = run_helm("template", RELEASE, CHART, "--namespace", namespace, "--values", "-", stdin=json.dumps(values))
    assert answer.returncode == 0, answer.stderr
    return [document for document in yaml.safe_load_all(answer.stdout) if document]


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
        for manifest in manifests
        if manifest["kind"] == "Deployment"
    }


@every_site
def test_the_configuration_is_one_that_edgemind_reads(plan: Environment, site: SitePlan, tmp_path: Path) -> None:
    (configuration,) = [
        manifest["data"]["edgemind.yaml"]
        for manifest in rendered(plan, site)
        if manifest["kind"] == "ConfigMap" and "edgemind.yaml" in manifest["data"]
    ]
    for name in SECRET_FILES.values():
        (tmp_path / name).write_text(f"{name}-of-this-test", encoding="utf-8")
    file = tmp_path / "edgemind.yaml"
    file.write_text(configuration.replace("/run/edgemind/secrets", str(tmp_path)), encoding="utf-8")
    settings = load_settings(file, {})
    fleet = settings.fleet()
    assert [known.name for known in fleet.sites] == [planned.name for planned in plan.sites_in(site.region)]
    assert settings.state.store == "dynamodb"
    assert (settings.aws.environment, settings.aws.region) == (plan.name, site.region)
    assert (settings.memory.kind, settings.memory.memory_id) == ("agentcore", None)
    assert settings.memory.namespace == (f"/metro/{site.region}" if plan.memory.learns else None)
    assert fleet.cloud is not None
    assert fleet.cloud.models() == tuple(model.name for model in plan.cloud.models)
    assert settings.bedrock is not None
    assert [model.model_id for model in settings.bedrock.models] == [model.profile for model in plan.cloud.models]
    for known in fleet.sites:
        assert known.models() == (plan.model.name,)
        assert known.gateway_url is not None
        assert (known.name == site.name) is ("svc.cluster.local" not in known.gateway_url)


@every_site
def test_pods_run_where_their_site_is(plan: Environment, site: SitePlan) -> None:
    made = pods(rendered(plan, site))
    models = f"edgemind-model-{plan.model.server}"
    assert made.keys() == {"edgemind-gateway", "edgemind-controller", "edgemind-bedrock-proxy", models}
    expected = {"edgemind.io/site": site.name} if site.nodes else {"topology.kubernetes.io/zone": site.zone}
    for name, pod in made.items():
        assert pod["nodeSelector"] == expected, name
        assert all(container["image"].startswith("registry.example/edgemind-") for container in pod["containers"])


@every_site
def test_neighbours_are_found_under_the_names_that_the_chart_gives(plan: Environment, site: SitePlan) -> None:
    """One site's configuration names the services of another; these are what the other's release really makes."""
    services = {
        manifest["metadata"]["name"]: {port["port"] for port in manifest["spec"]["ports"]}
        for manifest in rendered(plan, site)
        if manifest["kind"] == "Service"
    }
    neighbour = next(other for other in plan.sites_in(site.region) if other.name != site.name)
    values = site_values(plan, neighbour, given(IMAGE), "10.0.0.0/16")
    (seen,) = [entry for entry in values["config"]["sites"] if entry["name"] == site.name]
    for address in (seen["gateway"], seen["controller"], seen["models"][0]["base_url"].removesuffix("/v1")):
        host, port = address.removeprefix("http://").split(":")
        service, namespace, *domain = host.split(".")
        assert namespace == f"edgemind-{site.name}"
        assert domain == ["svc", "cluster", "local"]
        assert int(port) in services[service]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_images_are_built_from_dockerfiles_that_are_there(synthesized: Synthesized, tier: str) -> None:
    assembly = synthesized(tier)
    for region in ENVIRONMENTS[tier].regions:
        assets = json.loads((assembly.path / f"{tier}-{region.name}-workloads.assets.json").read_text(encoding="utf-8"))
        files = {image["source"]["dockerFile"] for image in assets["dockerImages"].values()}
        assert files == {family.dockerfile for family in FAMILIES.values()}
        assert all((ROOT / file).is_file() for file in files)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_given_images_are_used_and_none_is_built(needed: None, tmp_path: Path) -> None:
    path = tmp_path / "cdk.out"
    done = run_app(path, {"env": "staging", "image": IMAGE, "account": "123456789012"})
    assert done.returncode == 0, done.stderr
    template = (path / "staging-eu-central-1-workloads.template.json").read_text(encoding="utf-8")
    assets = json.loads((path / "staging-eu-central-1-workloads.assets.json").read_text(encoding="utf-8"))
    assert not assets.get("dockerImages")
    assert "registry.example/edgemind-gateway" in template
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    environments = {
        entry["environment"] for entry in manifest["artifacts"].values() if entry["type"] == "aws:cloudformation:stack"
    }
    assert environments == {"aws://123456789012/eu-central-1"}
