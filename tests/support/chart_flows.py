"""Which pods of a release may talk to which, worked out from its network policies as a cluster would."""

from collections.abc import Iterator
from typing import Any

from tests.support.chart import Manifest, labels_of, of_kind, pods, selects

COMPONENT = "app.kubernetes.io/component"
Flow = tuple[str, str, int]
"""From component, to component, at a port."""


def policies_of(manifests: list[Manifest], labels: dict[str, str], direction: str) -> list[Manifest]:
    """The policies that isolate a pod in a direction: Ingress or Egress."""
    return [
        policy
        for policy in of_kind(manifests, "NetworkPolicy")
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels)
    ]


def flows(manifests: list[Manifest]) -> set[Flow]:
    """Every flow between two pods of the release that both ends allow, at ports that somebody listens on."""
    found = set()
    every = [labels_of(pod) for _, pod in pods(manifests)]
    for to, port in _listeners(manifests):
        for source in every:
            if _allows(manifests, source, to, port, "Egress") and _allows(manifests, to, source, port, "Ingress"):
                found.add((source[COMPONENT], to[COMPONENT], port))
    return found


def _listeners(manifests: list[Manifest]) -> Iterator[tuple[dict[str, str], int]]:
    for _, pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", ()):
                yield labels_of(pod), port["containerPort"]


def _allows(manifests: list[Manifest], here: dict[str, str], there: dict[str, str], port: int, direction: str) -> bool:
    policies = policies_of(manifests, here, direction)
    rules = [rule for policy in policies for rule in policy["spec"].get(direction.lower(), ())]
    peers = "to" if direction == "Egress" else "from"
    # No policy: not isolated. Else one rule of one of them is enough.
    return not policies or any(_matches(rule, peers, there, port) for rule in rules)


def _matches(rule: dict[str, Any], peers: str, there: dict[str, str], port: int) -> bool:
    """A rule without peers means everybody. A namespace or an address is somewhere else than this release's pods."""
    ports = rule.get("ports")
    if ports is not None and not any(_covers(entry, port) for entry in ports):
        return False
    return not rule.get(peers) or any(
        set(peer) == {"podSelector"} and selects(peer["podSelector"], there) for peer in rule[peers]
    )


def _covers(entry: dict[str, Any], port: int) -> bool:
    first = entry["port"]
    return entry.get("protocol", "TCP") == "TCP" and bool(first <= port <= entry.get("endPort", first))
