"""The edgemind.yaml of the demo: what a user may copy, and point at servers of their own."""

from collections.abc import Iterable, Sequence

import yaml

from edgemind.domain.fleet import Engine
from edgemind.entrypoints.demo.layout import (
    CLOUD,
    CLOUD_MODELS,
    CLOUD_RTT_MS,
    LLAMA_MODEL,
    DemoFleet,
    DemoModel,
    DemoSite,
    distance_ms,
    url,
)
from edgemind.entrypoints.demo.state_place import StatePlace

TENANT = "demo"
FLEET_SECRET = "fleet.secret"
STATE_FOLDER = "state"
JOURNAL_FOLDER = "journal"
ROLES = ("viewer", "advisor", "operator", "admin")
KEY_FILE = "key"
COOLDOWN_MS, KEEP_REPLICAS_S = 2000, 2
"""Short, so that a demo of half a minute shows replicas come and go."""
ADVICE_S = 120
"""Long, for the advisor shares the real model, on the laptop's cores, with all devices."""
DRAIN_S = 0.5
"""Short, so that Ctrl-C ends quickly; a real site gives its devices longer."""

_HEADER = """\
# Written anew by each `edgemind demo`: copy it before you change it. docs/configuration.md explains every field.
# To use servers of your own, write their addresses as base_url and leave out `engine` (or say `engine: external`).
# Paths are relative to this file. Round trips (rtt_ms) are declared; what the sites measure replaces them.
"""


def role_token_file(role: str) -> str:
    return f"{role}.token"


def demo_configuration(fleet: DemoFleet, policy: str, state: StatePlace | None = None) -> str:
    """The YAML text."""
    place = state or StatePlace()
    document = {
        "version": 1,
        "metro": "demo",
        "state": place.group(STATE_FOLDER),
        **place.aws(),
        "audit": {"directory": JOURNAL_FOLDER},
        "fleet": {
            "secret": f"file:{FLEET_SECRET}",
            "tokens": {role: f"file:{role_token_file(role)}" for role in ROLES},
        },
        "auth": "keys",
        "sites": [_site(site, fleet) for site in fleet.sites],
        "cloud": {
            "name": CLOUD,
            "zones": ["cloud"],
            "rtt_ms": CLOUD_RTT_MS,
            "models": [_model(model, url(fleet.cloud_port)) for model in CLOUD_MODELS],
        },
        "tenants": [{"name": TENANT, "models": ["*"], "rate_per_s": 1000, "burst": 2000}],
        "limits": {"drain_s": DRAIN_S},
        "routing": {"policy": policy},
        **_advice(fleet),
        "swarm": {"scaler": "local", "cooldown_ms": COOLDOWN_MS, "keep_for_s": KEEP_REPLICAS_S},
    }
    # None: only the innermost lists and mappings go on one line, which keeps a model readable as a row.
    return _HEADER + yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=160)


def _advice(fleet: DemoFleet) -> dict[str, object]:
    """The advisor asks the fleet's own real model, by way of a gateway like any device; without one there is none."""
    if not fleet.llama:
        return {}
    base_url, key = f"{fleet.sites[0].gateway_url}/v1", f"file:{KEY_FILE}"
    model = {"model": "openai", "base_url": base_url, "name": LLAMA_MODEL.name, "key": key}
    return {"advice": {**model, "timeout_s": ADVICE_S}}


def _site(site: DemoSite, fleet: DemoFleet) -> dict[str, object]:
    others: Iterable[DemoSite] = (other for other in fleet.sites if other is not site)
    return {
        "name": site.name,
        "zones": list(site.zones),
        "position": {"latitude": site.latitude, "longitude": site.longitude},
        "gateway": site.gateway_url,
        "admin": url(site.admin_port),
        "controller": site.controller_url,
        "rtt_ms": {other.name: distance_ms(site, other) for other in others},
        "models": _models(site, fleet.models),
    }


def _models(site: DemoSite, models: Sequence[DemoModel]) -> list[dict[str, object]]:
    simulated, llama = url(site.simulated_port), f"{url(site.llama_port)}/v1"
    return [_model(model, llama if model.engine is Engine.LLAMA_CPP else simulated) for model in models]


def _model(model: DemoModel, base_url: str) -> dict[str, object]:
    row: dict[str, object] = {
        "name": model.name,
        "base_url": base_url,
        "slots": model.slots,
        "service_ms": model.service_ms,
        "engine": model.engine.value,
    }
    more = {"size_gb": model.size_gb or None, "max_replicas": model.max_replicas if model.max_replicas > 1 else None}
    return {**row, **{name: value for name, value in more.items() if value is not None}}
