"""Values that cannot be meant are refused before anything reaches a cluster, each by the name of its field."""

from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, ChartRefused, rendered

pytestmark = pytest.mark.engine
SITE = CHART / "examples" / "values-site.yaml"
PEER = {"ipBlock": {"cidr": "10.0.0.0/16"}}
RESOURCES = {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": 1, "memory": "1Gi"}}


def server(**changes: Any) -> dict[str, Any]:
    one = {"name": "x", "engine": "simulated", "model": "simulated-x", **changes}
    return {"modelServers": [{key: value for key, value in one.items() if value is not None}]}


def vllm(**changes: Any) -> dict[str, Any]:
    weights = {"hub": "org/name"}
    return server(**{"engine": "vllm", "model": "m", "weights": weights, "resources": RESOURCES, **changes})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"site": {"name": ""}}, "/site/name"),
    ({"site": {"name": "Site A"}}, "/site/name"),
    ({"site": {"name": "x" * 64}}, "/site/name"),
    ({"sight": {}}, "sight"),
    ({"config": {"version": 2}}, "/config/version"),
    ({"config": {"auth": False}}, "/config/auth"),
    ({"config": {"swarm": {}}}, "swarm"),
    ({"config": {"fleet": {"secret": "hunter2"}}}, "/config/fleet/secret"),
    ({"config": {"state": {"store": "redis"}}}, "/config/state/store"),
    ({"config": {"state": {"directory": "/data"}}}, "directory"),
    ({"config": {"limits": {"drain_s": -1}}}, "/config/limits/drain_s"),
    ({"config": {"sites": [{"zones": ["de"]}]}}, "/config/sites/0"),
    ({"config": {"sites": [{"name": "site-a", "admin": "http://x:1"}]}}, "/config/sites/0/admin"),
    ({"secrets": {"existingSecret": ""}}, "/secrets/existingSecret"),
    ({"images": {"gateway": {"tag": "latest"}}}, "/images/gateway/tag"),
    ({"images": {"gateway": {"digest": "sha256:12"}}}, "/images/gateway/digest"),
    ({"images": {"gateway": {"pullPolicy": "Sometimes"}}}, "/images/gateway/pullPolicy"),
    ({"images": {"gatway": {"repository": "x"}}}, "gatway"),
    ({"listen": "127.0.0.1"}, "/listen"),
    ({"gateway": {"workers": 0}}, "/gateway/workers"),
    ({"gateway": {"workers": 41}}, "/gateway/workers"),
    ({"gateway": {"workers": "2"}}, "/gateway/workers"),
    ({"gateway": {"replicaCount": 3}}, "replicaCount"),
    ({"gateway": {"autoscaling": {"targetCpuPercent": 0.7}}}, "/gateway/autoscaling/targetCpuPercent"),
    ({"gateway": {"disruptionBudget": {"maxUnavailable": 0}}}, "/gateway/disruptionBudget/maxUnavailable"),
    ({"gateway": {"service": {"port": 0}}}, "/gateway/service/port"),
    ({"gateway": {"service": {"port": 65536}}}, "/gateway/service/port"),
    ({"gateway": {"service": {"type": "Public"}}}, "/gateway/service/type"),
    ({"gateway": {"resources": {"limits": None}}}, "/gateway/resources"),
    ({"gateway": {"resources": {"limits": {"cpu": "lots"}}}}, "/gateway/resources/limits/cpu"),
    ({"controller": {"replicas": 2}}, "replicas"),
    ({"controller": {"voter": "llm"}}, "/controller/voter"),
    ({"bedrockProxy": {"replicas": 0}}, "/bedrockProxy/replicas"),
    ({"bedrockProxy": {"cloud": {"rttMs": -1}}}, "/bedrockProxy/cloud/rttMs"),
    ({"bedrockProxy": {"cloud": {"rtt_ms": 1}}}, "rtt_ms"),
    ({"modelCache": {"type": "s3"}}, "/modelCache/type"),
    ({"modelCache": {"size": "50 GB"}}, "/modelCache/size"),
    ({"stateVolume": {"accessMode": "ReadOnlyMany"}}, "/stateVolume/accessMode"),
    ({"networkPolicy": {"clients": ["10.0.0.0/8"]}}, "/networkPolicy/clients/0"),
    ({"networkPolicy": {"clients": [{}]}}, "/networkPolicy/clients/0"),
    ({"networkPolicy": {"clients": [{"ipBlock": {"cidr": "10.0.0.0"}}]}}, "/networkPolicy/clients/0/ipBlock/cidr"),
    ({"networkPolicy": {"upstreams": [{"peers": [PEER]}]}}, "/networkPolicy/upstreams/0"),
    ({"networkPolicy": {"sites": [{"peers": []}]}}, "/networkPolicy/sites/0/peers"),
    ({"serviceAccounts": {"gateway": {"name": "Edge Mind"}}}, "/serviceAccounts/gateway/name"),
    (server(engine="triton"), "/modelServers/0/engine"),
    (server(model="detector"), "/modelServers/0/model"),
    (server(model=None), "/modelServers/0"),
    (server(name="a_b"), "/modelServers/0/name"),
    (server(slots=0), "/modelServers/0/slots"),
    (server(serviceMs=0), "/modelServers/0/serviceMs"),
    (server(replicas=2), "replicas"),
    (server(weights={"hub": "a/b"}), "/modelServers/0/weights"),
    (server(egress=[{"peers": [PEER], "port": 70000}]), "/modelServers/0/egress/0/port"),
    (vllm(weights=None), "weights"),
    (vllm(resources=None), "resources"),
    (vllm(weights={"hub": "a/b", "file": "c"}), "/modelServers/0/weights"),
    (vllm(weights={"file": "../secrets"}), "/modelServers/0/weights/file"),
    (vllm(weights={"file": "/etc"}), "/modelServers/0/weights/file"),
    (vllm(threads=2), "/modelServers/0/threads"),
    (server(engine="llama_cpp", model="m", weights={"hub": "a/b"}), "/modelServers/0/weights"),
    (server(engine="llama_cpp", model="m", threads=0), "/modelServers/0/threads"),
]
CONTRADICTORY: list[tuple[dict[str, Any], str]] = [
    ({"modelServers": []}, "modelServers: site-a has no model"),
    ({"modelServers": [*server()["modelServers"], *server()["modelServers"]]}, "modelServers[1].name"),
    ({"modelServers": [*server()["modelServers"], *server(name="y")["modelServers"]]}, "modelServers[1].model"),
    (
        {"config": {"sites": [{"name": "site-a", "models": [{"name": "simulated-x"}]}]}, **server()},
        "modelServers[0].model",
    ),
    (vllm(weights={"file": "m"}), "modelServers[0].weights.file"),
    ({"modelCache": {"type": "existingClaim"}}, "modelCache.existingClaim"),
    ({"modelCache": {"type": "hostPath"}}, "modelCache.hostPath"),
    ({"stateVolume": {"type": "existingClaim"}}, "stateVolume.existingClaim"),
    ({"stateVolume": {"type": "emptyDir"}}, "stateVolume.type"),
    ({"gateway": {"autoscaling": {"minReplicas": 9}}}, "gateway.autoscaling.minReplicas"),
    ({"config": {"fleet": {"tokens": {"viewer": None}}}}, "statusPage.enabled"),
    ({"bedrockProxy": {"enabled": True}}, "config.bedrock.models"),
    ({"bedrockProxy": {"enabled": True}, "config": {"cloud": {"name": "mine"}}}, "config.cloud"),
    ({"controller": {"scaling": {"enabled": True}}}, "networkPolicy.kubernetesApi.peers"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED, ids=[f"{k}-{field}" for k, (_, field) in enumerate(REFUSED)])
def test_the_schema_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ChartRefused) as refused:
        rendered(SITE, changes)
    assert "don't meet the specifications of the schema" in str(refused.value)
    assert f"'{field}'" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "field"), CONTRADICTORY, ids=[f"{k}-{field}" for k, (_, field) in enumerate(CONTRADICTORY)]
)
def test_contradictions_name_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ChartRefused) as refused:
        rendered(SITE, changes)
    assert f"- {field}" in str(refused.value)


def test_everything_wrong_is_told_at_once() -> None:
    wrong: dict[str, Any] = {"gateway": {"workers": 0}, "listen": "x"}
    with pytest.raises(ChartRefused) as refused:
        rendered(SITE, wrong)
    assert "'/gateway/workers'" in str(refused.value)
    assert "'/listen'" in str(refused.value)

    wrong = {"modelServers": [], "stateVolume": {"type": "emptyDir"}, "modelCache": {"type": "hostPath"}}
    with pytest.raises(ChartRefused) as refused:
        rendered(SITE, wrong)
    for field in ("modelServers", "stateVolume.type", "modelCache.hostPath"):
        assert f"- {field}:" in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"auth": "off", "tenants": []}, "stateVolume": {"type": "emptyDir"}},
        {"gateway": {"autoscaling": {"enabled": False}, "disruptionBudget": {"maxUnavailable": "25%"}}},
        {"listen": "::"},
        {
            "networkPolicy": {
                "sites": [{"peers": [{"namespaceSelector": {}}], "gatewayPort": 443, "controllerPort": 444}]
            }
        },
        {"images": {"gateway": {"digest": "sha256:" + "0" * 64}}},
        vllm(egress=[{"peers": [PEER], "port": 443}]),
        server(simulated={"distribution": "constant"}),
    ],
    ids=str,
)
def test_what_can_be_meant_is_taken(changes: dict[str, Any]) -> None:
    assert rendered(SITE, changes)


def test_the_values_that_are_explained_are_all_there_are() -> None:
    """values.yaml is the reference: what the schema allows stands there, with its default."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = yaml.safe_load((CHART / "values.schema.json").read_text(encoding="utf-8"))
    free = {"config", "modelServers", "global"}
    assert unexplained(schema, schema, values, free) == []


def unexplained(root: dict[str, Any], schema: dict[str, Any], values: Any, free: set[str], at: str = "") -> list[str]:
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    if schema.get("additionalProperties") is not False or not isinstance(values, dict) or at.count("/") > 2:
        return []
    known = {key: below for key, below in schema["properties"].items() if key not in free}
    missing = [f"{at}/{key}" for key in known if key not in values]
    return missing + [
        one
        for key, below in known.items()
        if key in values
        for one in unexplained(root, below, values[key], set(), f"{at}/{key}")
    ]
