"""Routers for model servers written in Rust: vllm-router and sglang-router, logs and retries as quiet as they go."""

from benchmarks.peers.base import Bench, Launch, Peer
from benchmarks.peers.environments import own_environment_program, program
from benchmarks.processes import free_port


def _flags(bench: Bench, policy: str) -> list[str]:
    return [
        *("--host", "127.0.0.1", "--port", str(bench.port)),
        *("--policy", policy, "--log-level", "error"),
        *("--prometheus-port", str(free_port())),
        *("--worker-urls", *bench.upstream_urls()),
    ]


def _vllm(bench: Bench, policy: str) -> Launch:
    return Launch([program("vllm-router"), *_flags(bench, policy)])


def _sglang(bench: Bench) -> Launch:
    found = own_environment_program(bench.environments, "sglang-router", "sglang-router")
    return Launch([found, "launch", *_flags(bench, "power_of_two")])


VLLM_POWER_OF_TWO = Peer("vllm-router", "vllm-router, power of two", lambda bench: _vllm(bench, "power_of_two"))
VLLM_CACHE_AWARE = Peer(
    "vllm-router-cache-aware", "vllm-router, cache aware (its default)", lambda bench: _vllm(bench, "cache_aware")
)
SGLANG = Peer("sglang-router", "sglang-router, power of two", _sglang)
