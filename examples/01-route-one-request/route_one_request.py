"""Start the site of edgemind.yaml, ask it one question, and show what came back and why it ran where it ran."""

import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

from examples.processes import Processes

CONFIG = Path(__file__).resolve().with_name("edgemind.yaml")


def main() -> None:
    site = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["sites"][0]
    server = site["models"][0]["base_url"]
    at_site = ("--config", str(CONFIG), "--site", site["name"])
    with Processes({"EDGEMIND_LIMITS__DRAIN_S": "0"}) as processes:
        processes.edgemind("model-server", "model-server", *at_site, ready=f"{server}/health")
        processes.edgemind("gateway", "gateway", *at_site, ready=f"{site['admin']}/readyz")
        decision_id = ask(site["gateway"], site["models"][0]["name"])
        explain(site["admin"], decision_id)


def ask(gateway_url: str, model: str) -> str:
    """Any HTTP client will do. The id of the decision that routed the request."""
    body = {"model": model, "messages": [{"role": "user", "content": "Where does this run?"}]}
    request = Request(
        f"{gateway_url}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urlopen(request, timeout=30) as response:
        answer, receipt = json.load(response), response.headers
    print("answer    ", answer["choices"][0]["message"]["content"])
    print("decision  ", receipt["x-request-id"])
    print("ran at    ", receipt["x-edgemind-site"])
    print("reason    ", receipt["x-edgemind-reason"])
    print("predicted ", receipt["x-edgemind-predicted-ms"], "ms")
    return str(receipt["x-request-id"])


def explain(admin_url: str, decision_id: str) -> None:
    with urlopen(f"{admin_url}/edgemind/v1/decisions/{decision_id}", timeout=30) as response:
        decision: dict[str, Any] = json.load(response)
    print("took      ", decision["actual_ms"], "ms")
    for candidate in decision["candidates"]:
        terms = ("rtt_ms", "waiting_ms", "service_ms", "expected_ms")
        print("candidate ", candidate["site"], *(f"{term}={candidate[term]:g}" for term in terms))


if __name__ == "__main__":
    main()
