"""The chart's values for one site, and in them its edgemind.yaml: all of it follows from the environment. Pure."""

from collections.abc import Mapping
from typing import Any

from stacks import names
from stacks.image_names import Image
from stacks.plans import Environment, ModelPlan, SitePlan

RELEASE = "edgemind"
GATEWAY_PORT = 8100
CONTROLLER_PORT = 8200
ENVIRONMENT_LABEL = "edgemind.io/environment"
SECRET_CLASS = "edgemind-fleet"
PROXY_SECRET_CLASS = "edgemind-bedrock"
COMPONENTS = ("gateway", "controller", "statusPage")


def site_values(plan: Environment, site: SitePlan, images: Mapping[str, Image], cidr: str) -> dict[str, Any]:
    """Values for deploy/helm/edgemind. `cidr` is the network that interface endpoints lie in."""
    placement = _placement(site)
    resources = {"cpu": plan.model.cpu, "memory": plan.model.memory}
    return {
        "site": {"name": site.name},
        "config": _configuration(plan, site),
        "secrets": {"providerClass": SECRET_CLASS},
        "images": {family: {"repository": image.repository, "tag": image.tag} for family, image in images.items()},
        **{component: dict(placement) for component in COMPONENTS},
        "modelServers": [
            {
                "name": plan.model.server,
                "engine": plan.model.engine,
                "model": plan.model.name,
                "slots": plan.model.slots,
                "serviceMs": plan.model.service_ms,
                "resources": {"requests": resources, "limits": resources},
                **placement,
            }
        ],
        "bedrockProxy": {
            "enabled": True,
            "replicas": plan.cloud.proxies,
            "cloud": {
                "name": "bedrock",
                "zones": list(plan.cloud.zones),
                "rttMs": plan.cloud.rtt_ms,
                "serviceMs": plan.cloud.service_ms,
            },
            "secretProviderClass": PROXY_SECRET_CLASS,
            **placement,
        },
        "networkPolicy": _policy(plan, cidr),
    }


def _placement(site: SitePlan) -> dict[str, Any]:
    """Where a site's pods run: on its own nodes, or on the cluster's nodes in its zone."""
    if site.nodes is None:
        return {"nodeSelector": {"topology.kubernetes.io/zone": site.zone}}
    return {"nodeSelector": {names.SITE_LABEL: site.name}}


def _configuration(plan: Environment, own: SitePlan) -> dict[str, Any]:
    return {
        "metro": own.region,
        "state": {"store": "dynamodb"},
        # The table is found by the outputs of this environment's stacks.
        "aws": {"environment": plan.name, "region": own.region},
        "memory": _memory(plan, own),
        "bedrock": {
            "models": [
                {"name": model.name, "model_id": model.profile, "slots": model.slots} for model in plan.cloud.models
            ]
        },
        "sites": [_site(plan.model, site, own) for site in plan.sites_in(own.region)],
        "metrics": {"emf": "log_group", "log_group": names.metrics_log_group(plan)},
        "operations": {"tier": plan.tier.value},
        # Collected, and searched by their fields.
        "telemetry": {"logs": "json"},
        "tenants": [{"name": "default", "models": ["*"]}],
    }


def _memory(plan: Environment, own: SitePlan) -> dict[str, Any]:
    """Found as the table is; where strategies work, what they learned lies under the metro's name."""
    learned = {"namespace": f"/metro/{own.region}"} if plan.memory.learns else {}
    return {"kind": "agentcore", **learned}


def _site(model: ModelPlan, site: SitePlan, own: SitePlan) -> dict[str, Any]:
    """A site as its neighbours see it. The chart completes a site's own entry."""
    entry: dict[str, Any] = {"name": site.name, "zones": list(site.residency)}
    if site.device_classes:
        entry["device_classes"] = list(site.device_classes)
    if site.name == own.name:
        return entry
    domain = f"{names.site_namespace(site.name)}.svc.cluster.local"
    return {
        **entry,
        "gateway": f"http://{RELEASE}-gateway.{domain}:{GATEWAY_PORT}",
        "controller": f"http://{RELEASE}-controller.{domain}:{CONTROLLER_PORT}",
        "models": [
            {
                "name": model.name,
                # Never asked from here: a request goes through the neighbour's gateway.
                "base_url": f"http://{RELEASE}-model-{model.server}.{domain}:8400/v1",
                "slots": model.slots,
                "service_ms": model.service_ms,
                "engine": model.engine,
            }
        ],
    }


def _policy(plan: Environment, cidr: str) -> dict[str, Any]:
    neighbours = {"namespaceSelector": {"matchLabels": {ENVIRONMENT_LABEL: plan.name}}}
    return {
        # Whoever is in the network; the network itself has no way in from outside.
        "clients": [{"ipBlock": {"cidr": cidr}}],
        "sites": [{"peers": [neighbours], "gatewayPort": GATEWAY_PORT, "controllerPort": CONTROLLER_PORT}],
        # DynamoDB's gateway endpoint has public addresses; the network lets HTTPS out to nothing else.
        "aws": {"podIdentity": True, "endpoints": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]},
    }
