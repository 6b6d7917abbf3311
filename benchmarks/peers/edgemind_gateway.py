"""EdgeMind's gateway with everything on: keys, tenant rate, deadline, decision journal, table from its controller."""

import json
import sys
import time
from secrets import token_bytes

from benchmarks.payloads import MODEL
from benchmarks.peers.base import Bench, Launch, Peer
from benchmarks.processes import free_port
from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.domain.keys import ENTROPY_BYTES, LIVE_KEYS_PER_TENANT, issue_key

_SITE = "bench"
_TENANT = "bench"


def configuration(bench: Bench, admin_port: int, controller_port: int) -> dict[str, object]:
    """An edgemind.yaml: one site with the gateway and the first mock, one site without a gateway per other mock.

    Slots and service times are such that a full load fills the first site and spills to the others; the rate is far
    above any load, so that the bucket is asked for every request and never empty.
    """
    sites: list[dict[str, object]] = []
    for number, url in enumerate(bench.upstream_urls()):
        model = {"name": MODEL, "base_url": f"{url}/v1", "slots": 16, "service_ms": 4.0, "engine": "external"}
        sites.append({"name": f"{_SITE}-{number}", "zones": ["local"], "rtt_ms": {_SITE: 0.1}, "models": [model]})
    sites[0] |= {
        "name": _SITE,
        "gateway": f"http://127.0.0.1:{bench.port}",
        "admin": f"http://127.0.0.1:{admin_port}",
        "controller": f"http://127.0.0.1:{controller_port}",
        "rtt_ms": {f"{_SITE}-{number}": 0.1 for number in range(1, len(sites))},
    }
    secret = bench.directory / "fleet.secret"
    secret.write_text("bench-fleet-secret-0123456789abcdef\n")
    secret.chmod(0o600)
    return {
        "version": 1,
        "metro": "bench",
        "state": {"store": "json", "directory": str(bench.directory / "state")},
        "fleet": {"secret": f"file:{secret}"},
        "auth": "keys",
        "sites": sites,
        "tenants": [{"name": _TENANT, "models": ["*"], "rate_per_s": 1_000_000, "burst": 1_000_000}],
    }


def _create_key(bench: Bench) -> str:
    issued = issue_key(_TENANT, token_bytes(ENTROPY_BYTES), int(time.time() * 1000))
    JsonFileStateStore(bench.directory / "state").add_key(issued.stored, LIVE_KEYS_PER_TENANT)
    return issued.secret


def _prepare(bench: Bench) -> Launch:
    file = bench.directory / "edgemind.yaml"  # JSON is YAML.
    file.write_text(json.dumps(configuration(bench, free_port(), free_port()), indent=2))
    flags = ["--config", str(file), "--site", _SITE]
    edgemind = [sys.executable, "-m", "edgemind"]
    return Launch([*edgemind, "gateway", *flags], _create_key(bench), companions=[[*edgemind, "controller", *flags]])


EDGEMIND = Peer("edgemind", "EdgeMind gateway, hybrid policy, keys, rates, deadlines, journal, controller", _prepare)
