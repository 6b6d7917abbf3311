"""Events of Converse as chunks of OpenAI's stream."""

from typing import Any

import pytest

from edgemind.entrypoints.bedrock_proxy.chat_answers import ChatAnswer, Label
from edgemind.ports.converse import CallFailed, CallFault, ConverseEvent


@pytest.fixture
def answer() -> ChatAnswer:
    return ChatAnswer(Label("chatcmpl-1", "claude", 1_700_000_000))


def feed(answer: ChatAnswer, kind: str, **body: Any) -> Any:
    chunk = answer.chunk(ConverseEvent(kind, body))
    return chunk and chunk["choices"][0]["delta"]


def test_the_role_comes_with_the_first_piece_and_not_before(answer: ChatAnswer) -> None:
    assert feed(answer, "messageStart", role="assistant") is None
    assert feed(answer, "contentBlockDelta", delta={"text": "a"}) == {"role": "assistant", "content": "a"}
    assert feed(answer, "contentBlockDelta", delta={"text": "b"}) == {"content": "b"}
    assert feed(answer, "contentBlockStop", contentBlockIndex=0) is None


def test_every_chunk_tells_whose_it_is(answer: ChatAnswer) -> None:
    chunk = answer.chunk(ConverseEvent("contentBlockDelta", {"delta": {"text": "a"}}))
    assert chunk is not None
    assert (chunk["id"], chunk["model"], chunk["created"]) == ("chatcmpl-1", "claude", 1_700_000_000)


def test_calls_are_counted_by_themselves_whatever_stands_between(answer: ChatAnswer) -> None:
    for index, called in ((1, "first"), (3, "second")):
        start = {"toolUse": {"toolUseId": called, "name": "add"}}
        (begun,) = feed(answer, "contentBlockStart", contentBlockIndex=index, start=start)["tool_calls"]
        assert (begun["index"], begun["id"], begun["function"]) == (
            index // 2,
            called,
            {"name": "add", "arguments": ""},
        )
    delta = {"toolUse": {"input": '{"a"'}}
    more = feed(answer, "contentBlockDelta", contentBlockIndex=3, delta=delta)
    assert more == {"tool_calls": [{"index": 1, "function": {"arguments": '{"a"'}}]}


@pytest.mark.parametrize("inputs", [[], [""], ["{", "}"]])
def test_a_call_without_arguments_has_an_empty_object_of_them(answer: ChatAnswer, inputs: list[str]) -> None:
    """Clients read the arguments as JSON."""
    start = {"toolUse": {"toolUseId": "one", "name": "now"}}
    told = [feed(answer, "contentBlockStart", contentBlockIndex=1, start=start)]
    told += [
        feed(answer, "contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": one}}) for one in inputs
    ]
    told += [feed(answer, "contentBlockStop", contentBlockIndex=index) for index in (0, 1, 1)]
    assert "".join(one["tool_calls"][0]["function"]["arguments"] for one in told if one) == "{}"


def test_thoughts_are_told_apart_from_the_answer(answer: ChatAnswer) -> None:
    delta = {"reasoningContent": {"text": "hm"}}
    assert feed(answer, "contentBlockDelta", delta=delta) == {"role": "assistant", "reasoning_content": "hm"}
    assert feed(answer, "contentBlockDelta", delta={"reasoningContent": {"signature": "x"}}) is None


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_how_it_ended(answer: ChatAnswer, reason: str, finish: str) -> None:
    assert not answer.finished
    chunk = answer.chunk(ConverseEvent("messageStop", {"stopReason": reason}))
    assert chunk is not None
    assert chunk["choices"][0]["finish_reason"] == finish
    assert answer.finished


def test_a_malformed_answer_is_none(answer: ChatAnswer) -> None:
    with pytest.raises(CallFailed) as failed:
        feed(answer, "messageStop", stopReason="malformed_tool_use")
    assert failed.value.fault is CallFault.FAILED
    assert not answer.finished


def test_tokens_out_of_a_cache_are_part_of_the_prompt(answer: ChatAnswer) -> None:
    used = {
        "inputTokens": 5,
        "outputTokens": 2,
        "totalTokens": 17,
        "cacheReadInputTokens": 8,
        "cacheWriteInputTokens": 2,
    }
    feed(answer, "metadata", usage=used, metrics={"latencyMs": 40})
    assert answer.usage_chunk()["usage"] == {
        "prompt_tokens": 15,
        "completion_tokens": 2,
        "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    assert answer.bedrock_ms == 40.0
