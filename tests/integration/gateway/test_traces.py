"""One trace over two gateways and a model server, in processes of their own, at a real OTLP receiver."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway_process import FleetFolder, GatewayProcess, fleet_document, free_ports
from tests.support.model_servers import running
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wire import Answer, ask

pytestmark = pytest.mark.slow

SECRET_PROMPT = "the-patient-is-called-zaphod"
SECRET_HEADER = "otlp-key-that-nobody-may-see"
CLIENT_TRACE, CLIENT_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass(frozen=True, slots=True)
class Traced:
    """Two sites; the model lives at site B, and devices ask site A."""

    folder: FleetFolder
    here: GatewayProcess
    there: GatewayProcess
    receiver: OtlpReceiver
    key: str

    def ask(self, model: str = "simulated-m", **headers: str) -> Answer:
        document: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "user", "content": f"{SECRET_PROMPT} says hello"}],
            "max_tokens": 4,
        }
        sent = {"authorization": f"Bearer {self.key}", **{name.replace("_", "-"): v for name, v in headers.items()}}
        return ask(self.here.port, "POST", "/v1/chat/completions", json.dumps(document).encode(), sent)

    def output(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.folder.path.glob("*.log"))


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    path: Path = tmp_path_factory.mktemp("traced")
    (path / "otlp.key").write_text(SECRET_HEADER)
    ports = free_ports(5)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    model = {"base_url": f"{urls[4]}/v1", "slots": 4, "service_ms": 5, "engine": "simulated"}
    dead = {"name": "dead", "base_url": "http://127.0.0.1:9/v1", "slots": 4, "service_ms": 5}
    with ExitStack() as stack:
        receiver = stack.enter_context(OtlpReceiver())
        telemetry = {
            "exporter": "otlp",
            "endpoint": receiver.url,
            "sample_ratio": 0.0,
            "headers": {"x-api-key": "file:otlp.key"},
        }
        sites = [
            {"name": "site-a", "gateway": urls[0], "admin": urls[1], "models": [dead]},
            {"name": "site-b", "gateway": urls[2], "admin": urls[3], "models": [{"name": "simulated-m", **model}]},
        ]
        folder = FleetFolder(path, fleet_document(sites, telemetry=telemetry))
        key = folder.new_key("demo")
        stack.enter_context(running(folder.config, "--site", "site-b"))
        here = stack.enter_context(GatewayProcess(folder, "site-a"))
        there = stack.enter_context(GatewayProcess(folder, "site-b"))
        yield Traced(folder, here, there, receiver, key)


def test_a_forwarded_request_is_one_trace_with_the_right_parents(traced: Traced) -> None:
    answer = traced.ask(traceparent=f"00-{CLIENT_TRACE}-{CLIENT_SPAN}-01", tracestate="vendor=1")
    assert answer.status == 200
    assert answer["x-edgemind-trace"] == CLIENT_TRACE
    spans = {span.resource["service.instance.id"]: span for span in traced.receiver.of_trace(CLIENT_TRACE, 3)}
    here, there, server = spans["site-a-0"], spans["site-b-0"], spans["site-b"]
    assert here.parent_id == CLIENT_SPAN
    assert there.parent_id == here.span_id
    assert server.parent_id == there.span_id
    assert here.span_id == answer["x-request-id"][-16:]
    assert server.service == "edgemind-model-server"
    assert (here.attributes["edgemind.site"], there.attributes["edgemind.site"]) == ("site-b", "site-b")
    assert (here.attributes["gen_ai.request.model"], here.attributes["gen_ai.operation.name"]) == (
        "simulated-m",
        "chat",
    )
    assert here.attributes["edgemind.actual_ms"] > there.attributes["edgemind.actual_ms"] > 0
    assert here.end_ns - here.start_ns == pytest.approx(here.attributes["edgemind.actual_ms"] * 1e6, rel=0.01)
    explained = traced.here.decision(answer["x-request-id"]).json()
    assert explained["trace_id"] == CLIENT_TRACE


def test_what_went_well_is_only_kept_by_chance_and_errors_always(traced: Traced) -> None:
    well, refused = traced.ask(), traced.ask("dead")
    assert (well.status, refused.status) == (200, 502)
    (span,) = traced.receiver.of_trace(refused["x-edgemind-trace"], 1)
    assert span.error == "status 502"
    assert span.parent_id == ""
    assert any(attempt.startswith("site-a: ") for attempt in span.attributes["edgemind.attempts"])
    # Whatever is kept of one worker leaves it in order: the one that went well came before, and was not kept.
    assert well["x-edgemind-trace"] not in {one.trace_id for one in traced.receiver.spans}


def test_no_two_requests_of_one_connection_share_a_trace(traced: Traced) -> None:
    traces = {traced.ask()["x-edgemind-trace"] for _ in range(5)}
    assert len(traces) == 5


def test_prompts_and_keys_are_in_no_span_and_no_log(traced: Traced) -> None:
    trace = "5bf92f3577b34da6a3ce929d0e0e4736"
    answer = traced.ask(traceparent=f"00-{trace}-{CLIENT_SPAN}-01")
    traced.receiver.of_trace(trace, 3)
    said = answer.json()["choices"][0]["message"]["content"]
    everything = b"".join(body for _, _, body in traced.receiver.requests) + traced.output().encode()
    for secret in (SECRET_PROMPT, traced.key, SECRET_HEADER, said):
        assert secret.encode() not in everything
    # It does say who is allowed to export, to the receiver alone.
    assert {headers.get("x-api-key") for _, headers, _ in traced.receiver.requests} == {SECRET_HEADER}
