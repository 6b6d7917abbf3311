"""What every rendered manifest has to hold, beyond what Kubernetes itself demands: each rule returns its findings."""

import re
from collections.abc import Callable
from typing import Any

from tests.support.chart import Manifest, containers, labels_of, name_of, of_kind, pods, selects
from tests.support.chart_flows import COMPONENT, policies_of

Rule = Callable[[list[Manifest]], list[str]]
UID = 10001
_PINNED = re.compile(r"[^@]+:(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]*(@sha256:[0-9a-f]{64})?|[^@]+@sha256:[0-9a-f]{64}")
SCALED_BY_THE_SWARM = "model-server"


def probes(manifests: list[Manifest]) -> list[str]:
    wanted = ("readinessProbe", "livenessProbe", "startupProbe")
    servers = [one for one in manifests if one["kind"] != "Pod"]
    return [f"{name}: no {probe}" for name, one in containers(servers) for probe in wanted if probe not in one]


def resources(manifests: list[Manifest]) -> list[str]:
    return [
        f"{name}: no {kind} of {what}"
        for name, one in containers(manifests)
        for kind in ("requests", "limits")
        for what in ("cpu", "memory")
        if what not in one.get("resources", {}).get(kind, {})
    ]


def not_root(manifests: list[Manifest]) -> list[str]:
    wanted = {"runAsNonRoot": True, "runAsUser": UID, "runAsGroup": UID}
    return [f"{name}: {key} is not {value}" for name, key, value in _lacking_in_pods(manifests, wanted)]


def seccomp(manifests: list[Manifest]) -> list[str]:
    wanted = {"seccompProfile": {"type": "RuntimeDefault"}}
    return [f"{name}: {key} is not {value}" for name, key, value in _lacking_in_pods(manifests, wanted)]


def no_privileges(manifests: list[Manifest]) -> list[str]:
    wanted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return _lacking_in_containers(manifests, wanted)


def read_only_root(manifests: list[Manifest]) -> list[str]:
    return _lacking_in_containers(manifests, {"readOnlyRootFilesystem": True})


def nothing_of_the_host(manifests: list[Manifest]) -> list[str]:
    """With the rules above it is what the Pod Security level `restricted` demands."""
    found = []
    for name, pod in pods(manifests):
        spec = pod["spec"]
        found += [f"{name}: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
        found += [f"{name}: hostPath {volume['name']}" for volume in spec.get("volumes", ()) if "hostPath" in volume]
    ports = [(name, port) for name, one in containers(manifests) for port in one.get("ports", ())]
    return found + [f"{name}: hostPort" for name, port in ports if "hostPort" in port]


def pinned_images(manifests: list[Manifest]) -> list[str]:
    return [
        f"{name}: {one['image']} is not pinned"
        for name, one in containers(manifests)
        if not _PINNED.fullmatch(one["image"])
    ]


def disruption_budgets(manifests: list[Manifest]) -> list[str]:
    """Each Deployment has one, and a node can still be drained."""
    found = []
    for deployment in of_kind(manifests, "Deployment"):
        labels = labels_of(deployment["spec"]["template"])
        mine = [one for one in of_kind(manifests, "PodDisruptionBudget") if selects(one["spec"]["selector"], labels)]
        if len(mine) != 1:
            found.append(f"{name_of(deployment)}: {len(mine)} disruption budgets")
        found += [
            f"{name_of(one)}: lets nobody go" for one in mine if one["spec"].get("maxUnavailable", 0) in {0, "0%"}
        ]
    return found


def scaling(manifests: list[Manifest]) -> list[str]:
    """One owner of each number of replicas: an autoscaler, the chart, or, for model servers, the swarm."""
    found = []
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(manifests, "HorizontalPodAutoscaler")}
    for deployment in of_kind(manifests, "Deployment"):
        owners = (deployment["metadata"]["name"] in scaled) + ("replicas" in deployment["spec"])
        component = deployment["metadata"]["labels"][COMPONENT]
        wanted = 0 if component == SCALED_BY_THE_SWARM else 1
        if owners != wanted:
            found.append(f"{name_of(deployment)}: {owners} owners of its replicas instead of {wanted}")
        if component == "gateway" and deployment["spec"].get("replicas", 2) < 2:
            found.append(f"{name_of(deployment)}: one pod is no redundancy")
    return found


def spread(manifests: list[Manifest]) -> list[str]:
    """Over nodes and zones, counting the pods of the own Deployment."""
    found = []
    for deployment in of_kind(manifests, "Deployment"):
        pod = deployment["spec"]["template"]
        constraints = pod["spec"].get("topologySpreadConstraints", [])
        keys = {one["topologyKey"] for one in constraints if selects(one["labelSelector"], labels_of(pod))}
        if keys != {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}:
            found.append(f"{name_of(deployment)}: spreads over {sorted(keys)}")
    return found


def network_policies(manifests: list[Manifest]) -> list[str]:
    """Every pod is isolated both ways; nobody may send to just anywhere, and only the gateway hears just anybody."""
    found = [
        f"{name}: no policy for {direction}"
        for name, pod in pods(manifests)
        for direction in ("Ingress", "Egress")
        if not policies_of(manifests, labels_of(pod), direction)
    ]
    for policy in of_kind(manifests, "NetworkPolicy"):
        spec = policy["spec"]
        open_ends = [rule for rule in spec.get("egress", ()) if not rule.get("to") or not rule.get("ports")]
        for rule in spec.get("ingress", ()):
            door = spec["podSelector"]["matchLabels"].get(COMPONENT) == "gateway" and _ports(rule) == [8100]
            open_ends += [rule] if not rule.get("ports") or not (rule.get("from") or door) else []
        found += [f"{name_of(policy)}: is open: {rule}" for rule in open_ends]
    return found


def service_accounts(manifests: list[Manifest]) -> list[str]:
    """No token where no API is used: that is everywhere, unless a role is bound to the account."""
    bound = {subject["name"] for one in of_kind(manifests, "RoleBinding") for subject in one["subjects"]}
    found = [f"{name_of(one)}: hands out tokens" for one in of_kind(manifests, "ServiceAccount") if _automounts(one)]
    for name, pod in pods(manifests):
        if _automounts(pod["spec"]) and pod["spec"].get("serviceAccountName") not in bound:
            found.append(f"{name}: mounts a token that it has no use for")
    return found


def roles(manifests: list[Manifest]) -> list[str]:
    """Of the namespace, by name, and no more than reading and patching: number and fence change in one write."""
    found = [f"{name_of(one)}: rules the cluster" for one in manifests if one["kind"].startswith("ClusterRole")]
    for role in of_kind(manifests, "Role"):
        for rule in role["rules"]:
            wide = "*" in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
            if wide or not rule.get("resourceNames") or not {"get", "patch"} >= set(rule["verbs"]):
                found.append(f"{name_of(role)}: allows too much: {rule}")
            if rule["resources"] != ["deployments"]:
                found.append(f"{name_of(role)}: is about more than Deployments: {rule}")
    return found


def secrets(manifests: list[Manifest]) -> list[str]:
    """None in the chart, none in the environment of a process: a file can be changed under it, and is not inherited."""
    found = [f"{name_of(one)}: belongs to whoever installs" for one in of_kind(manifests, "Secret")]
    for name, one in containers(manifests):
        by_reference = [entry for entry in one.get("env", ()) if "secretKeyRef" in entry.get("valueFrom", {})]
        found += [f"{name}: {entry['name']} holds a secret" for entry in by_reference]
    return found


def services(manifests: list[Manifest]) -> list[str]:
    """Each leads to a port that a pod listens on."""
    found = []
    for service in of_kind(manifests, "Service"):
        chosen = [
            pod for _, pod in pods(manifests) if selects({"matchLabels": service["spec"]["selector"]}, labels_of(pod))
        ]
        listened = [port for pod in chosen for one in pod["spec"]["containers"] for port in one.get("ports", ())]
        known = {port["name"] for port in listened} | {port["containerPort"] for port in listened}
        found += [
            f"{name_of(service)}: nobody listens on {port['targetPort']}"
            for port in service["spec"]["ports"]
            if port["targetPort"] not in known
        ]
    return found


def live_configuration(manifests: list[Manifest]) -> list[str]:
    """Mounted as folders: a file that is mounted by subPath never changes, and reload would be for nothing."""
    return [
        f"{name}: {mount['mountPath']} by subPath"
        for name, one in containers(manifests)
        for mount in one.get("volumeMounts", ())
        if "subPath" in mount
    ]


def graceful_ends(manifests: list[Manifest]) -> list[str]:
    """A pod is not killed before the hook that delays its end is over, and says itself how long it may take."""
    found = []
    for name, pod in pods([one for one in manifests if one["kind"] != "Pod"]):
        grace_s = pod["spec"].get("terminationGracePeriodSeconds", 0)
        hooks = [one.get("lifecycle", {}).get("preStop", {}).get("sleep", {}) for one in pod["spec"]["containers"]]
        if grace_s <= max(hook.get("seconds", 0) for hook in hooks):
            found.append(f"{name}: is killed after {grace_s} s")
    return found


def _automounts(spec: Manifest) -> bool:
    return spec.get("automountServiceAccountToken") is not False


def _ports(rule: dict[str, Any]) -> list[int]:
    return [entry["port"] for entry in rule.get("ports", ())]


def _lacking_in_pods(manifests: list[Manifest], wanted: dict[str, Any]) -> list[tuple[str, str, Any]]:
    given = [(name, pod["spec"].get("securityContext", {})) for name, pod in pods(manifests)]
    return [(name, key, value) for name, context in given for key, value in wanted.items() if context.get(key) != value]


def _lacking_in_containers(manifests: list[Manifest], wanted: dict[str, Any]) -> list[str]:
    given = [(name, one.get("securityContext", {})) for name, one in containers(manifests)]
    lacking = [
        (name, key, value) for name, context in given for key, value in wanted.items() if context.get(key) != value
    ]
    return [f"{name}: {key} is not {value}" for name, key, value in lacking]


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        probes, resources, not_root, seccomp, no_privileges, read_only_root, nothing_of_the_host, pinned_images,
        disruption_budgets, scaling, spread, network_policies, service_accounts, roles, secrets, services,
        live_configuration, graceful_ends,
    )
}  # fmt: skip
