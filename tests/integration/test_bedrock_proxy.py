"""The Bedrock proxy as a process: whole answers, refusals, time limits, hang-ups, slots, its end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from edgemind.domain.service_time import MEASURED_MS_HEADER, service_ms_of
from tests.support.bedrock_proxy import Proxy, bedrock_group, running, start, write_config
from tests.support.engines.aws import QUIET, REGION
from tests.support.engines.converse import ConverseServer
from tests.support.engines.converse_script import (
    DENIED,
    LATENCY_MS,
    MODEL_TIMEOUT,
    THROTTLED,
    UNKNOWN_MODEL,
    Accident,
    Says,
    text,
    tool_use,
)
from tests.support.model_servers import Answer, ask, begin, eventually, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

KEY = "proxy-key-0123456789"
NAMES = {f"test.{name}-v1:0": name for name in ("chat", "whole", "stuck", "silent", "odd", "left")}
IMAGE = "data:image/png;base64,aWNvbg=="
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def proxy(converse: ConverseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    group = bedrock_group(
        converse.url, NAMES, models={"whole": {"streaming": False}, "left": {"slots": 1}},
        first_byte_timeout_s=4.0, silence_timeout_s=4.0,
    )  # fmt: skip
    config = write_config(tmp_path_factory.mktemp("proxy"), group, limits={"max_body_bytes": 100_000})
    with running(config, free_port()) as started:
        yield started


@pytest.fixture
def client(proxy: Proxy) -> Iterator[OpenAI]:
    with OpenAI(base_url=proxy.url, api_key="none", max_retries=0) as client:
        yield client


def body(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **fields}


def chat(proxy: Proxy, model: str, **fields: Any) -> Answer:
    return ask(proxy.port, "POST", CHAT, body(model, **fields))


def busy(proxy: Proxy, model: str) -> tuple[int, int]:
    state = ask(proxy.port, "GET", "/health").document["models"][model]
    return state["in_flight"], state["queued"]


def events(answer: Answer) -> list[Any]:
    return [json.loads(event) for event in answer.events if event != "[DONE]"]


# Whole answers


@pytest.mark.parametrize("model", ["chat", "whole"])
def test_an_unstreamed_answer_is_one_document(client: OpenAI, converse: ConverseServer, model: str) -> None:
    blocks = [text("Let me", " add."), tool_use("tooluse_1", "add", '{"a": 2,', ' "b": 3}')]
    converse.script(f"test.{model}-v1:0", Says(blocks, "tool_use"))
    raw = client.chat.completions.with_raw_response.create(**body(model))
    completion = raw.parse()
    (choice,) = completion.choices
    assert (completion.object, completion.model, choice.finish_reason) == ("chat.completion", model, "tool_calls")
    assert choice.message.content == "Let me add."
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert (call.id, call.function.name, json.loads(call.function.arguments)) == ("tooluse_1", "add", {"a": 2, "b": 3})
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.total_tokens) == (11, 18)
    assert float(raw.headers[MEASURED_MS_HEADER.decode()]) == LATENCY_MS
    assert converse.calls(f"test.{model}-v1:0")[-1].operation == ("converse" if model == "whole" else "converse-stream")


def test_a_model_without_streams_is_streamed_at_once(client: OpenAI, converse: ConverseServer) -> None:
    converse.script("test.whole-v1:0", Says([text("All", " of", " it.")]))
    chunks = list(client.chat.completions.create(**body("whole"), stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["All of it.", None]
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_everything_that_is_asked_for_reaches_bedrock(proxy: Proxy, converse: ConverseServer) -> None:
    image = {"type": "image_url", "image_url": {"url": IMAGE}}
    messages = [
        {"role": "system", "content": "One."},
        {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
        {"role": "user", "content": "And why?"},
    ]
    converse.script("test.odd-v1:0", Says())
    answer = chat(
        proxy, "odd", messages=messages, max_tokens=9, temperature=0.5, top_p=0.25, stop="END", seed=7, user="me"
    )
    assert answer.status == 200
    assert converse.calls("test.odd-v1:0")[-1].body == {
        "system": [{"text": "One."}, {"text": "Two."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "What is this?"},
                    {"image": {"format": "png", "source": {"bytes": "aWNvbg=="}}},
                    {"text": "And why?"},
                ],
            }
        ],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.25, "stopSequences": ["END"]},
    }


def test_a_stream_tells_the_time_to_its_first_token(proxy: Proxy, converse: ConverseServer) -> None:
    converse.script("test.chat-v1:0", Says())
    answer = chat(proxy, "chat", stream=True, stream_options={"include_usage": True})
    assert answer.headers["content-type"] == "text/event-stream"
    assert float(answer.headers[MEASURED_MS_HEADER.decode()]) > 0
    assert service_ms_of(answer.raw_headers, answer.body) is None
    first, *_, usage = events(answer)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "Hello"}
    assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 7)
    assert answer.events[-1] == "[DONE]"


# Refusals


@pytest.mark.parametrize(
    ("step", "status", "code"),
    [
        (THROTTLED, 429, "throttled"),
        (DENIED, 502, "bedrock_denied"),
        (UNKNOWN_MODEL, 502, "bedrock_denied"),
        (MODEL_TIMEOUT, 504, "bedrock_timeout"),
        (Says([], raises=("throttlingException", "slow down")), 429, "throttled"),
        (Says([], raises=("serviceUnavailableException", "later")), 503, "bedrock_busy"),
        (Says(stop="malformed_model_output"), 502, "bedrock_failed"),
        (Says(accident=Accident.ENDS_EARLY), 502, "bedrock_failed"),
    ],
)
def test_what_bedrock_refuses(proxy: Proxy, converse: ConverseServer, step: Any, status: int, code: str) -> None:
    converse.script("test.odd-v1:0", step)
    answer = chat(proxy, "odd")
    assert (answer.status, answer.document["error"]["code"]) == (status, code)
    assert ("retry-after" in answer.headers) is (status in {429, 503})


def test_what_the_proxy_refuses_costs_no_call(proxy: Proxy, converse: ConverseServer) -> None:
    before = len(converse.calls("test.chat-v1:0"))
    assert chat(proxy, "nobody").status == 404
    assert chat(proxy, "chat", n=2).document["error"]["param"] == "n"
    assert chat(proxy, "chat", padding="x" * 100_000).status == 413
    assert ask(proxy.port, "POST", CHAT, raw=b"{").status == 400
    assert ask(proxy.port, "POST", "/v1/embeddings", {"model": "chat", "input": "x"}).status == 501
    assert len(converse.calls("test.chat-v1:0")) == before


def test_the_models_are_listed(client: OpenAI) -> None:
    assert {model.id for model in client.models.list()} == set(NAMES.values())


# Time limits and hang-ups


def test_an_answer_that_does_not_begin(proxy: Proxy, converse: ConverseServer) -> None:
    converse.script("test.stuck-v1:0", Says(gated=True))
    answer = chat(proxy, "stuck", stream=True)
    assert (answer.status, answer.document["error"]["code"]) == (504, "bedrock_timeout")
    assert converse.caller_left("test.stuck-v1:0")
    eventually(lambda: busy(proxy, "stuck") == (0, 0))


def test_an_answer_that_falls_silent(proxy: Proxy, converse: ConverseServer) -> None:
    converse.script("test.silent-v1:0", Says([text("It", " is")], accident=Accident.SILENCE))
    answer = chat(proxy, "silent", stream=True)
    *chunks, last = events(answer)
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == ["It", " is"]
    assert last["error"]["code"] == "bedrock_timeout"
    assert "[DONE]" not in answer.events
    assert converse.caller_left("test.silent-v1:0")


def test_a_caller_who_hangs_up_ends_the_call(proxy: Proxy, converse: ConverseServer) -> None:
    """Before the first byte, and in mid-answer; with one slot, the next call shows that it is free again."""
    for number, step in enumerate((Says(gated=True), Says([text("It", " is")], gated_after=2))):
        converse.script("test.left-v1:0", step, Says())
        connection = begin(proxy.port, CHAT, body("left", stream=True))
        # Each turn of this loop has made two calls.
        eventually(partial(_called_more_than, converse, "test.left-v1:0", 2 * number))
        connection.close()
        assert converse.caller_left("test.left-v1:0")
        converse.left("test.left-v1:0").clear()
        assert chat(proxy, "left").status == 200


def _called_more_than(converse: ConverseServer, model_id: str, times: int) -> bool:
    return len(converse.calls(model_id)) > times


def test_with_all_slots_taken_requests_wait_and_the_last_is_refused(converse: ConverseServer, tmp_path: Path) -> None:
    model_id = converse.script("test.one-slot", Says(gated=True))
    group = bedrock_group(converse.url, {model_id: "one-slot"}, models={"one-slot": {"slots": 1}})
    with running(write_config(tmp_path, group), free_port()) as proxy:
        waiting = [begin(proxy.port, CHAT, body("one-slot")) for _ in range(5)]
        eventually(lambda: busy(proxy, "one-slot") == (1, 4))
        eventually(partial(_called_more_than, converse, model_id, 0))
        refused = chat(proxy, "one-slot")
        assert (refused.status, refused.document["error"]["code"]) == (503, "queue_full")
        assert int(refused.headers["retry-after"]) >= 1
        assert len(converse.calls(model_id)) == 1
        converse.open_gate(model_id)
        for connection in waiting:
            assert connection.recv(15).startswith(b"HTTP/1.1 200")
            connection.close()
        eventually(lambda: busy(proxy, "one-slot") == (0, 0))


# The process


def test_stopped_it_ends_what_it_has_begun(converse: ConverseServer, tmp_path: Path) -> None:
    converse.script("test.drained", Says([text("It", " is")], gated_after=2))
    group = bedrock_group(converse.url, {"test.drained": "drained"}, drain_s=30)
    with running(write_config(tmp_path, group), free_port()) as proxy:
        connection = begin(proxy.port, CHAT, body("drained", stream=True))
        assert connection.recv(15).startswith(b"HTTP/1.1 200")
        proxy.process.send_signal(signal.SIGTERM)
        eventually(lambda: not _accepts(proxy.port))
        converse.open_gate("test.drained")
        told = b""
        while chunk := connection.recv(65_536):
            told += chunk
        assert told.rstrip().endswith(b"data: [DONE]\n\n\r\n0")
        assert proxy.process.wait(20) == 0


def _accepts(port: int) -> bool:
    try:
        return ask(port, "GET", "/health").status == 200
    except OSError:
        return False


def test_with_a_key_only_who_has_it_is_served(converse: ConverseServer, tmp_path: Path) -> None:
    (tmp_path / "proxy.key").write_text(KEY)
    group = bedrock_group(converse.url, {"test.locked": "locked"}, key="file:proxy.key")
    with running(write_config(tmp_path, group), free_port()) as proxy:
        refused = chat(proxy, "locked")
        assert (refused.status, refused.document["error"]["code"]) == (401, "invalid_api_key")
        assert ask(proxy.port, "GET", "/v1/models").status == 401
        assert ask(proxy.port, "GET", "/v2/health/ready").status == 200
        with OpenAI(base_url=proxy.url, api_key=KEY, max_retries=0) as client:
            assert client.chat.completions.create(**body("locked")).choices[0].message.content == "Hello from Bedrock."
        assert len(converse.calls("test.locked")) == 1


@pytest.mark.parametrize(
    ("environment", "group", "listen", "words"),
    [
        ({}, {"region": REGION}, "127.0.0.1", "no AWS credentials: give this process a role"),
        ({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}, {}, "127.0.0.1", "set bedrock.region"),
        ({}, {"region": REGION}, "0.0.0.0", "bedrock.key is missing, and on 0.0.0.0 anybody"),
    ],
)
def test_what_it_lacks_is_said_at_the_start(
    tmp_path: Path, environment: dict[str, str], group: dict[str, str], listen: str, words: str
) -> None:
    models = [{"name": "m", "model_id": "amazon.nova-lite-v1:0"}]
    process = start(write_config(tmp_path, {**group, "models": models}), free_port(), {**QUIET, **environment}, listen)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert words in said
    assert "Traceback" not in said


def test_an_api_key_of_bedrock_does_instead_of_credentials(converse: ConverseServer, tmp_path: Path) -> None:
    group = bedrock_group(converse.url, {"test.bearer": "bearer"})
    port = free_port()
    process = start(write_config(tmp_path, group), port, {**QUIET, "AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key"})
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), process.communicate()[1]
        assert ask(port, "POST", CHAT, body("bearer")).status == 200
        assert [call.bearer for call in converse.calls("test.bearer")] == ["bedrock-api-key"]
    finally:
        process.kill()
        process.communicate()


def test_the_check_asks_each_model_for_one_token(converse: ConverseServer, tmp_path: Path) -> None:
    converse.script("test.refused", DENIED)
    group = bedrock_group(converse.url, {"test.answers": "answers", "test.refused": "refused"})
    command = [sys.executable, "-m", "edgemind", "check", "bedrock", "--config", str(write_config(tmp_path, group))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "denied" in done.stdout
    assert "refused: Bedrock: AccessDeniedException; allow bedrock:InvokeModel" in done.stdout
    # An operator is told who was refused.
    assert "role/proxy" in done.stdout
    assert converse.calls("test.answers")[0].body["inferenceConfig"] == {"maxTokens": 1}
    told = json.loads(subprocess.run([*command, "-o", "json"], capture_output=True, check=False, timeout=60).stdout)
    assert [(one["name"], one["answers"], one["fault"]) for one in told["models"]] == [
        ("answers", True, None),
        ("refused", False, "denied"),
    ]
