"""LiteLLM's proxy with one worker, its log at ERROR and without a database, balancing over the same upstreams."""

import json
from secrets import token_urlsafe

from benchmarks.payloads import MODEL
from benchmarks.peers.base import Bench, Launch, Peer
from benchmarks.peers.environments import own_environment_program


def _prepare(bench: Bench) -> Launch:
    # JSON is YAML; LiteLLM reads either.
    file = bench.directory / "litellm.yaml"
    upstream = {"model": f"openai/{MODEL}", "api_key": "none"}
    models = [
        {"model_name": MODEL, "litellm_params": {**upstream, "api_base": f"{url}/v1"}} for url in bench.upstream_urls()
    ]
    key = "sk-" + token_urlsafe(32)
    settings: dict[str, object] = {
        "router_settings": {"routing_strategy": "least-busy", "num_retries": 0},
        "general_settings": {"master_key": key},
    }
    file.write_text(json.dumps({"model_list": models, **settings}))
    found = own_environment_program(bench.environments, "litellm", "litellm")
    flags = ["--host", "127.0.0.1", "--port", str(bench.port), "--num_workers", "1", "--telemetry", "False"]
    return Launch(["/usr/bin/env", "LITELLM_LOG=ERROR", "NO_DOCS=True", found, "--config", str(file), *flags], key)


LITELLM = Peer("litellm", "LiteLLM proxy, least busy, one worker", _prepare)
