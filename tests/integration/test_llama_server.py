"""The real engine: llama.cpp with the small model's weights, over real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.inference.llama_wheels import bundled_weights, llama_available
from edgemind.domain.service_time import first_chunk_ms_of, service_ms_of
from tests.support.model_servers import PATIENCE_S, ask, begin, eventually, free_port, running, start

AVAILABLE, REASON = llama_available()
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not AVAILABLE, reason=("platform: " if "this CPU" in REASON else "") + REASON),
]
YAML = """
version: 1
auth: "off"
sites:
  - name: site-a
    models:
      - {{name: smollm2-135m, base_url: "http://127.0.0.1:{port}/v1", slots: 1, service_ms: 400, engine: llama_cpp}}
"""
CHAT: dict[str, Any] = {
    "model": "smollm2-135m",
    "messages": [{"role": "user", "content": "Name three colours."}],
    "max_tokens": 8,
    "temperature": 0,
}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, port: int) -> Path:
    file = tmp_path_factory.mktemp("fleet") / "edgemind.yaml"
    file.write_text(YAML.format(port=port))
    return file


@pytest.fixture(scope="module")
def server(config: Path) -> Iterator[None]:
    with running(config, "--site", "site-a", "--model", "smollm2-135m") as process:
        yield
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def test_it_answers_streams_and_tells_its_service_time(server: None, port: int) -> None:
    whole = ask(port, "POST", "/v1/chat/completions", CHAT)
    message = whole.document["choices"][0]["message"]
    assert (whole.status, message["role"]) == (200, "assistant")
    assert message["content"].strip()
    assert whole.document["usage"]["completion_tokens"] == 8
    assert (service_ms_of(whole.raw_headers, whole.body) or 0) > 0

    stream = ask(port, "POST", "/v1/chat/completions", {**CHAT, "stream": True})
    assert stream.events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in stream.events[:-1]]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == message["content"]
    service_ms = service_ms_of(stream.raw_headers, stream.body)
    first_ms = first_chunk_ms_of(stream.raw_headers, stream.body)
    assert service_ms is not None
    assert first_ms is not None
    assert 0 < first_ms < service_ms

    text = ask(port, "POST", "/v1/completions", {"model": "smollm2-135m", "prompt": "One, two,", "max_tokens": 4})
    assert text.document["choices"][0]["text"].strip()


@pytest.mark.parametrize(
    ("path", "document", "status", "words"),
    [
        ("/v1/chat/completions", {**CHAT, "model": "absent"}, 404, "there are: smollm2-135m"),
        ("/v1/chat/completions", {**CHAT, "messages": "x"}, 400, "to be an array"),
        ("/v1/chat/completions", {**CHAT, "messages": [{"role": "user", "content": "x " * 3000}]}, 400, "context size"),
        ("/v1/chat/completions", {**CHAT, "messages": "x", "stream": True}, 400, "to be an array"),
        ("/v1/embeddings", {"model": "smollm2-135m", "input": "x"}, 501, "no embeddings"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(
    server: None, port: int, path: str, document: Any, status: int, words: str
) -> None:
    answer = ask(port, "POST", path, document)
    assert answer.status == status
    assert words in answer.document["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_hang_up_stops_the_engine(server: None, port: int, stream: bool) -> None:
    endless = {**CHAT, "max_tokens": 1000, "ignore_eos": True, "stream": stream}
    leaving = begin(port, "/v1/chat/completions", endless)
    eventually(lambda: ask(port, "GET", "/health").document["in_flight"] == 1)
    leaving.close()
    eventually(lambda: ask(port, "GET", "/health").document["in_flight"] == 0)
    assert ask(port, "POST", "/v1/chat/completions", CHAT).status == 200


def test_weights_that_cannot_be_loaded_are_one_line(tmp_path: Path) -> None:
    config = tmp_path / "edgemind.yaml"
    config.write_text(YAML.format(port=free_port()))
    cut = tmp_path / "cut.gguf"
    with bundled_weights().open("rb") as weights:
        cut.write_bytes(weights.read(1_000_000))
    process = start(config, "--site", "site-a", "--model", "smollm2-135m", "--gguf", str(cut))
    printed, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, printed, said.count("\n")) == (2, "", 1), said
    assert f"cannot load {cut}" in said
