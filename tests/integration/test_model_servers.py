"""Model servers as processes, over real HTTP."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from edgemind.domain.service_time import service_ms_of
from tests.support.model_servers import PATIENCE_S, ask, begin, eventually, free_port, running, start

YAML = """
version: 1
auth: "off"
sites:
  - name: site-a
    models:
      - {{name: simulated-llm, base_url: "http://127.0.0.1:{port}/v1", slots: 2, service_ms: 30, engine: simulated}}
      - {{name: simulated-detector, base_url: "http://127.0.0.1:{port}", slots: 4, service_ms: 5, engine: simulated,
         simulated: {{distribution: constant}}}}
      - {{name: simulated-slow, base_url: "http://127.0.0.1:{port}", slots: 1, service_ms: 600000, engine: simulated}}
      - {{name: theirs, base_url: "https://gpu:8000/v1", slots: 9, service_ms: 9, key: env:NOT_SET_HERE}}
cloud:
  name: simulated-cloud
  rtt_ms: 40
  models:
    - {{name: simulated-llm, base_url: "http://127.0.0.1:{cloud_port}/v1", slots: 8, service_ms: 20, engine: simulated,
       simulated: {{distribution: constant}}}}
"""
CHAT: dict[str, Any] = {"model": "simulated-llm", "messages": [{"role": "user", "content": "hello"}]}
SLOW = {**CHAT, "model": "simulated-slow"}
TENSOR = {"name": "frame", "shape": [1], "datatype": "UINT8", "data": [1]}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def cloud_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, port: int, cloud_port: int) -> Path:
    file = tmp_path_factory.mktemp("fleet") / "edgemind.yaml"
    file.write_text(YAML.format(port=port, cloud_port=cloud_port))
    return file


@pytest.fixture(scope="module")
def server(config: Path) -> Iterator["subprocess.Popen[str]"]:
    with running(config, "--site", "site-a", "--seed", "3") as process:
        yield process


@pytest.fixture
def client(server: object, port: int) -> OpenAI:
    return OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)


def stats(port: int, model: str) -> Any:
    return ask(port, "GET", "/simulated/stats").document["models"][model]


def test_an_openai_client_gets_answers_that_say_they_are_simulated(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**CHAT)
    completion = raw.parse()
    assert str(completion.choices[0].message.content).startswith("[simulated-llm] ")
    assert completion.usage is not None
    assert float(raw.headers["x-simulated-service-ms"]) > 0
    assert (
        client.completions.create(model="simulated-llm", prompt="x", max_tokens=2).choices[0].finish_reason == "length"
    )
    one, other = (client.embeddings.create(model="simulated-llm", input=text).data[0].embedding for text in "ab")
    assert len(one) == len(other) == 64
    assert one != other
    assert [model.id for model in client.models.list()][:2] == ["simulated-llm", "simulated-detector"]


def test_a_stream_joins_to_the_unstreamed_answer(client: OpenAI, port: int) -> None:
    whole = client.chat.completions.create(**CHAT).choices[0].message.content
    chunks = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole
    assert chunks[-1].usage is not None
    answer = ask(port, "POST", "/v1/chat/completions", {**CHAT, "stream": True})
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.events[-1] == "[DONE]"
    first_ms, all_ms = (float(answer.headers[f"x-simulated-{part}-ms"]) for part in ("first-chunk", "service"))
    assert first_ms < all_ms
    assert service_ms_of(answer.raw_headers, answer.body) == all_ms


def test_the_open_inference_protocol(server: object, port: int) -> None:
    answer = ask(port, "POST", "/v2/models/simulated-detector/infer", {"id": "7", "inputs": [TENSOR]})
    assert (answer.status, answer.document["id"], answer.document["parameters"]) == (200, "7", {"simulated": True})
    # The declared time is a constant 5 ms; what is told is never less than a timer's step below it.
    assert float(answer.headers["x-simulated-service-ms"]) > 3.9
    for path in ("/health", "/v2/health/live", "/v2/health/ready", "/v2/models/simulated-detector/ready"):
        assert ask(port, "GET", path).status == 200
    assert ask(port, "GET", "/v2/models/simulated-detector").document["platform"] == "edgemind-simulated"


@pytest.mark.parametrize(
    ("method", "path", "raw", "status", "code"),
    [
        ("POST", "/v1/chat/completions", b"{bad", 400, "invalid_json"),
        ("POST", "/v1/chat/completions", b"", 400, "invalid_json"),
        ("POST", "/v1/chat/completions", b"{}", 400, "missing_field"),
        ("POST", "/v1/chat/completions", b'{"model": "absent"}', 404, "model_not_found"),
        ("POST", "/v1/chat/completions", b'{"model": "simulated-llm"}', 400, "wrong_type"),
        ("POST", "/v1/embeddings", b'{"model": "simulated-llm"}', 400, "wrong_type"),
        ("POST", "/v2/models/simulated-detector/infer", b"{}", 400, "wrong_type"),
        ("GET", "/v2/models/simulated-detector/infer", None, 405, "method_not_allowed"),
        ("GET", "/v2/models/absent/ready", None, 404, "model_not_found"),
        ("GET", "/v1/chat/completions", None, 405, "method_not_allowed"),
        ("GET", "/nothing", None, 404, "not_found"),
        ("POST", "/simulated/brownout", b'{"factor": 0}', 400, "wrong_type"),
        ("POST", "/v1/chat/completions", b" " * (33 * 1024 * 1024), 413, "body_too_large"),
    ],
)  # fmt: skip
def test_bad_requests_are_told_what_is_wrong(
    server: object, port: int, method: str, path: str, raw: bytes | None, status: int, code: str
) -> None:
    answer = ask(port, method, path, raw=raw)
    assert (answer.status, answer.document["error"]["code"]) == (status, code)
    assert answer.document["error"]["message"]


def test_the_queue_is_bounded_and_a_hang_up_frees_slot_and_place_at_once(server: object, port: int) -> None:
    running_one, *waiting = [begin(port, "/v1/chat/completions", SLOW) for _ in range(1 + 64)]
    eventually(lambda: stats(port, "simulated-slow")["queued"] == 64)
    refused = ask(port, "POST", "/v1/chat/completions", SLOW)
    assert (refused.status, refused.document["error"]["code"]) == (503, "queue_full")
    assert int(refused.headers["retry-after"]) > 1
    # The running one would take ten minutes: only its hang-up can let the next one in.
    running_one.close()
    eventually(lambda: (stats(port, "simulated-slow")["in_flight"], stats(port, "simulated-slow")["queued"]) == (1, 63))
    for connection in waiting:
        connection.close()
    eventually(lambda: (stats(port, "simulated-slow")["in_flight"], stats(port, "simulated-slow")["queued"]) == (0, 0))
    assert stats(port, "simulated-slow")["served"] == 0


def test_a_brownout_slows_models_down_and_ends(server: object, port: int) -> None:
    def told_ms() -> float:
        answer = ask(port, "POST", "/v2/models/simulated-detector/infer", {"inputs": [TENSOR]})
        return float(answer.headers["x-simulated-service-ms"])

    assert ask(port, "POST", "/simulated/brownout", {"factor": 20, "model": "simulated-detector"}).status == 200
    assert told_ms() > 98
    assert stats(port, "simulated-llm")["slowdown"] == 1
    assert ask(port, "POST", "/simulated/brownout", {"factor": 1}).document["models"] == [
        "simulated-llm", "simulated-detector", "simulated-slow",
    ]  # fmt: skip
    assert stats(port, "simulated-detector")["slowdown"] == 1


def test_the_simulated_cloud_is_a_named_distance_away(config: Path, cloud_port: int) -> None:
    with running(config, "--site", "simulated-cloud"):
        before_s = time.monotonic()
        answer = ask(cloud_port, "POST", "/v1/chat/completions", CHAT)
        # A lower bound: the process cannot answer before distance and service time are over.
        assert (time.monotonic() - before_s) * 1000 > 57
        assert float(answer.headers["x-simulated-wan-ms"]) == 40
        assert float(answer.headers["x-simulated-service-ms"]) < 57


def test_sigterm_ends_it_with_code_0_and_tells_whoever_still_waits(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "edgemind.yaml"
    config.write_text(YAML.format(port=port, cloud_port=free_port()))
    with running(config, "--site", "site-a") as process:
        waiting = begin(port, "/v1/chat/completions", SLOW)
        eventually(lambda: stats(port, "simulated-slow")["in_flight"] == 1)
        process.send_signal(signal.SIGTERM)
        assert waiting.recv(65536).startswith(b"HTTP/1.1 503")
        waiting.close()
        assert process.wait(PATIENCE_S) == 0


def refused(config: Path, *arguments: str) -> str:
    """What a server that cannot start says: one line, and a code that is not 0."""
    process = start(config, *arguments)
    printed, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, printed, said.count("\n")) == (2, "", 1), said
    return said


def test_what_cannot_start_says_so_in_one_line(server: object, config: Path, port: int) -> None:
    assert f"port {port} on 127.0.0.1 is taken" in refused(config, "--site", "site-a")
    assert "no site is called 'absent'" in refused(config, "--site", "absent")
    assert "site-a has no model 'absent'" in refused(config, "--site", "site-a", "--model", "absent")
    assert "somebody else's server" in refused(config, "--site", "site-a", "--model", "theirs")


def test_replicas_come_and_go_at_run_time_and_outlive_the_process(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "edgemind.yaml"
    config.write_text(YAML.format(port=port, cloud_port=free_port()).replace("slots: 2", "slots: 2, max_replicas: 3"))
    scale = {"model": "simulated-llm", "replicas": 3, "fence": "1.17"}
    with running(config, "--site", "site-a"):
        assert ask(port, "POST", "/edgemind/v1/scale", scale).document["ready"] == 3
        assert stats(port, "simulated-llm")["slots"] == 6
        stale = ask(port, "POST", "/edgemind/v1/scale", scale | {"replicas": 2, "fence": "1.16"})
        assert (stale.status, stale.document["error"]["code"]) == (409, "stale_fence")
        for wrong in ({"replicas": 4}, {"replicas": 0}, {"replicas": True}, {"fence": "17"}, {"fence": 1.17}):
            assert ask(port, "POST", "/edgemind/v1/scale", scale | wrong).status == 400
        assert ask(port, "POST", "/edgemind/v1/scale", scale | {"model": "x"}).status == 404
    with running(config, "--site", "site-a"):
        shown = ask(port, "GET", "/edgemind/v1/scale").document["models"]["simulated-llm"]
        assert (shown["replicas"], shown["ready"], shown["fence"]) == (3, 3, "1.17")
        assert stats(port, "simulated-llm")["slots"] == 6
        stale = ask(port, "POST", "/edgemind/v1/scale", scale | {"replicas": 2, "fence": "1.16"})
        assert stale.status == 409
