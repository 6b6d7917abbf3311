"""The Helm chart as the tests see it: rendered manifests, and short ways to what is in them."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.helm import ROOT, run_helm

CHART = ROOT / "deploy" / "helm" / "edgemind"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
NAMESPACE = "edgemind"

Manifest = dict[str, Any]


class ChartRefused(Exception):
    """What helm said when it rendered nothing."""


def rendered(values: Path, changes: Mapping[str, Any] | None = None) -> list[Manifest]:
    """The manifests of `helm template` with these values and, merged over them, `changes`. A copy of one's own."""
    return deepcopy(_rendered(values, json.dumps(changes or {})))


@cache
def _rendered(values: Path, changes: str) -> list[Manifest]:
    arguments = ("template", "edgemind", CHART, "--namespace", NAMESPACE, "--values", values, "--values", "-")
    answer = run_helm(*arguments, stdin=changes)
    if answer.returncode != 0:
        raise ChartRefused(answer.stderr)
    return [document for document in yaml.safe_load_all(answer.stdout) if document]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    return next(manifest for manifest in of_kind(manifests, kind) if manifest["metadata"]["name"] == name)


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def pod_of(manifest: Manifest) -> Manifest | None:
    """Metadata and spec of the pods that a manifest makes, or None if it makes none."""
    if manifest["kind"] == "Pod":
        return manifest
    template: Manifest | None = manifest.get("spec", {}).get("template")
    return template


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Every kind of pod, with the name of what makes it."""
    for manifest in manifests:
        pod = pod_of(manifest)
        if pod is not None:
            yield name_of(manifest), pod


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for name, pod in pods(manifests):
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            yield f"{name}, container {container['name']}", container


def labels_of(pod: Manifest) -> dict[str, str]:
    found: dict[str, str] = pod["metadata"]["labels"]
    return found


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels; one that is empty takes all. Only matchLabels are used here."""
    wanted = (selector or {}).get("matchLabels", {})
    assert set(selector or {}) <= {"matchLabels"}, f"not understood here: {selector}"
    return all(labels.get(key) == value for key, value in wanted.items())


def configuration(manifests: list[Manifest]) -> str:
    """The edgemind.yaml that the pods mount."""
    text: str = named(manifests, "ConfigMap", "edgemind-config")["data"]["edgemind.yaml"]
    return text
