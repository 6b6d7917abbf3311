"""Our own rules hold for every example, and each of them notices when it is broken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import CHART, EXAMPLES, Manifest, named, of_kind, pods, rendered
from tests.support.chart_flows import flows
from tests.support.chart_rules import RULES

pytestmark = pytest.mark.engine
EKS = CHART / "examples" / "values-eks.yaml"
SITE = CHART / "examples" / "values-site.yaml"
BEDROCK = CHART / "examples" / "values-bedrock.yaml"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("example", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_it_holds(example: Path, rule: str) -> None:
    assert RULES[rule](rendered(example)) == []


def deployment(manifests: list[Manifest], name: str = "gateway") -> Manifest:
    return named(manifests, "Deployment", f"edgemind-{name}")


def spec(manifests: list[Manifest], name: str = "gateway") -> dict[str, Any]:
    found: dict[str, Any] = deployment(manifests, name)["spec"]["template"]["spec"]
    return found


def container(manifests: list[Manifest], name: str = "gateway") -> dict[str, Any]:
    found: dict[str, Any] = spec(manifests, name)["containers"][0]
    return found


def policy(manifests: list[Manifest], name: str) -> dict[str, Any]:
    found: dict[str, Any] = named(manifests, "NetworkPolicy", f"edgemind-{name}")["spec"]
    return found


def budget(manifests: list[Manifest], name: str) -> Manifest:
    return named(manifests, "PodDisruptionBudget", f"edgemind-{name}")


def first_rule(manifests: list[Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = of_kind(manifests, "Role")[0]["rules"][0]
    return found


BREAKS: list[tuple[str, Callable[[list[Manifest]], Any]]] = [
    ("probes", lambda m: container(m, "model-llama").pop("startupProbe")),
    ("resources", lambda m: container(m)["resources"]["limits"].pop("memory")),
    ("resources", lambda m: container(m, "controller").pop("resources")),
    ("not_root", lambda m: spec(m)["securityContext"].update(runAsUser=0)),
    ("not_root", lambda m: spec(m, "controller").pop("securityContext")),
    ("seccomp", lambda m: spec(m)["securityContext"].update(seccompProfile={"type": "Unconfined"})),
    ("no_privileges", lambda m: container(m)["securityContext"].update(allowPrivilegeEscalation=True)),
    ("no_privileges", lambda m: container(m)["securityContext"]["capabilities"].update(add=["NET_ADMIN"])),
    ("read_only_root", lambda m: container(m, "model-llama")["securityContext"].pop("readOnlyRootFilesystem")),
    ("nothing_of_the_host", lambda m: spec(m).update(hostNetwork=True)),
    ("nothing_of_the_host", lambda m: spec(m)["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
    ("nothing_of_the_host", lambda m: container(m)["ports"][0].update(hostPort=80)),
    ("pinned_images", lambda m: container(m).update(image="registry.example:5000/edgemind-gateway:latest")),
    ("pinned_images", lambda m: container(m).update(image="registry.example:5000/edgemind-gateway")),
    ("disruption_budgets", lambda m: m.remove(budget(m, "model-llama"))),
    ("disruption_budgets", lambda m: budget(m, "gateway")["spec"].update(maxUnavailable=0)),
    ("scaling", lambda m: m.remove(of_kind(m, "HorizontalPodAutoscaler")[0])),
    ("scaling", lambda m: deployment(m)["spec"].update(replicas=3)),
    ("scaling", lambda m: deployment(m, "model-llama")["spec"].update(replicas=1)),
    ("spread", lambda m: spec(m, "model-llama")["topologySpreadConstraints"].pop()),
    ("spread", lambda m: deployment(m)["spec"]["template"]["metadata"]["labels"].clear()),
    ("network_policies", lambda m: [policy(m, one).update(policyTypes=[]) for one in ("default-deny", "test")]),
    ("network_policies", lambda m: policy(m, "gateway")["egress"].append({"ports": [{"port": 443}]})),
    ("network_policies", lambda m: policy(m, "controller")["ingress"][0].pop("from")),
    ("network_policies", lambda m: policy(m, "controller")["ingress"].append({})),
    ("service_accounts", lambda m: spec(m).update(automountServiceAccountToken=True)),
    ("service_accounts", lambda m: spec(m, "model-llama").pop("automountServiceAccountToken")),
    ("service_accounts", lambda m: m.remove(of_kind(m, "RoleBinding")[0])),
    ("service_accounts", lambda m: of_kind(m, "ServiceAccount")[0].pop("automountServiceAccountToken")),
    ("roles", lambda m: first_rule(m).update(verbs=["get", "delete"])),
    ("roles", lambda m: first_rule(m).update(resources=["*"])),
    ("roles", lambda m: first_rule(m).pop("resourceNames")),
    ("roles", lambda m: first_rule(m)["verbs"].append("list")),
    ("roles", lambda m: first_rule(m)["resources"].append("secrets")),
    ("roles", lambda m: of_kind(m, "Role")[0].update(kind="ClusterRole")),
    ("secrets", lambda m: m.append({"kind": "Secret", "metadata": {"name": "x"}})),
    ("secrets", lambda m: container(m)["env"].append({"name": "X", "valueFrom": {"secretKeyRef": {}}})),
    ("services", lambda m: named(m, "Service", "edgemind-controller")["spec"]["ports"][0].update(targetPort="web")),
    ("services", lambda m: named(m, "Service", "edgemind-gateway")["spec"]["selector"].update(x="y")),
    ("live_configuration", lambda m: container(m)["volumeMounts"][1].update(subPath="edgemind.yaml")),
    ("graceful_ends", lambda m: spec(m, "model-llama").update(terminationGracePeriodSeconds=5)),
    ("graceful_ends", lambda m: spec(m).pop("terminationGracePeriodSeconds")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "breaks"), BREAKS, ids=[f"{k}-{rule}" for k, (rule, _) in enumerate(BREAKS)])
def test_it_notices(rule: str, breaks: Callable[[list[Manifest]], Any]) -> None:
    manifests = rendered(EKS)
    breaks(manifests)
    assert RULES[rule](manifests) != []


def test_every_rule_has_been_broken() -> None:
    assert {rule for rule, _ in BREAKS} == set(RULES)


NEEDED = {
    ("gateway", "controller", 8200),
    ("controller", "gateway", 8150),
    ("gateway", "model-server", 8400),
    ("controller", "model-server", 8400),
    ("status-page", "controller", 8200),
    ("test", "gateway", 8100),
    ("test", "controller", 8200),
}


@pytest.mark.parametrize("clients", [[], [{"ipBlock": {"cidr": "10.0.0.0/8"}}]], ids=["anybody", "some"])
def test_pods_reach_what_they_need_and_nothing_else(clients: list[Any]) -> None:
    assert flows(rendered(SITE, {"networkPolicy": {"clients": clients}})) == NEEDED


def test_only_gateways_reach_the_proxy_to_bedrock() -> None:
    found = flows(rendered(BEDROCK))
    assert {flow for flow in found if "bedrock-proxy" in flow} == {("gateway", "bedrock-proxy", 8500)}


def test_without_policies_everybody_reaches_everybody() -> None:
    """What the test above measures is the policies' doing."""
    manifests = rendered(SITE, {"networkPolicy": {"enabled": False}})
    kinds = {pod["metadata"]["labels"]["app.kubernetes.io/component"] for _, pod in pods(manifests)}
    assert {(source, to) for source, to, _ in flows(manifests)} == {(a, b) for a in kinds for b in kinds - {"test"}}


def test_each_worker_of_a_gateway_is_reached_by_the_controller() -> None:
    manifests = rendered(SITE, {"gateway": {"workers": 3}})
    asked = {port for source, to, port in flows(manifests) if (source, to) == ("controller", "gateway")}
    assert asked == {8150, 8151, 8152}
