"""Envoy with least-request balancing over the same upstreams, one worker thread, no access log."""

import json

from benchmarks.peers.base import Bench, Launch, Peer
from benchmarks.peers.environments import program

_Json = dict[str, object]
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def _address(port: int) -> _Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _connection_manager(timeout: str) -> _Json:
    """Envoy's defaults stay on (request ids, statistics): a gateway without them would not be run."""
    route: _Json = {"match": {"prefix": "/"}, "route": {"cluster": "models", "timeout": timeout}}
    return {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "codec_type": "HTTP1",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"},
            }
        ],
    }


def configuration(port: int, upstream_ports: list[int], timeout: str) -> _Json:
    """A static bootstrap; `timeout` is the route's, as Envoy writes durations ("0s": none)."""
    endpoints = [{"endpoint": {"address": _address(upstream)}} for upstream in upstream_ports]
    cluster: _Json = {
        "name": "models",
        "type": "STATIC",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {"cluster_name": "models", "endpoints": [{"lb_endpoints": endpoints}]},
    }
    listener: _Json = {
        "name": "bench",
        "address": _address(port),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": _connection_manager(timeout),
                    }
                ]
            }
        ],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _prepare(bench: Bench, timeout: str) -> Launch:
    file = bench.directory / "envoy.json"
    file.write_text(json.dumps(configuration(bench.port, list(bench.upstream_ports), timeout)))
    # Hot restart shares memory by a fixed id: a second Envoy on the machine would not start.
    flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return Launch([program("envoy"), "-c", str(file), *flags])


ENVOY = Peer("envoy", "Envoy, least request, no timeout: the reference", lambda bench: _prepare(bench, "0s"))
ENVOY_TIMEOUT = Peer("envoy-timeout", "Envoy, least request, 30 s route timeout", lambda bench: _prepare(bench, "30s"))
