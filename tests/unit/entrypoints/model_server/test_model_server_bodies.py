import base64
import json
import struct
from typing import Any

import pytest

from edgemind.entrypoints.model_server import oip_bodies, openai_bodies
from edgemind.entrypoints.model_server.exchange import Refused
from edgemind.entrypoints.model_server.llama_answers import is_progress, joined

CHAT = {"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]}


@pytest.mark.parametrize("body", [b"", b"{bad", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000], ids=lambda body: body[:5])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        openai_bodies.parse_object(body)
    assert (refused.value.status, refused.value.code) == (400, "invalid_json")


def test_what_a_completion_asks_for() -> None:
    asked = openai_bodies.generation_of({**CHAT, "max_tokens": 5, "stream": True}, chat=True)
    assert (asked.prompt, asked.max_tokens, asked.stream, asked.usage_in_stream) == ("hello", 5, True, False)
    parts = [{"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {}}]}]
    newer: dict[str, object] = {
        "messages": parts,
        "max_completion_tokens": 7,
        "stream_options": {"include_usage": True},
    }
    asked = openai_bodies.generation_of(newer, chat=True)
    assert (asked.prompt, asked.max_tokens, asked.stream, asked.usage_in_stream) == ("see", 7, False, True)
    assert openai_bodies.generation_of({"prompt": ["x"]}, chat=False).prompt == "x"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages"),
        ({"messages": [{"content": 5}]}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 1}, "stream_options"),
        ({"n": 2}, "n"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(change: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as refused:
        openai_bodies.generation_of({**CHAT, **change}, chat=True)
    assert refused.value.status == 400
    assert refused.value.document()["error"]["param"] == param  # type: ignore[index]


def test_embedding_inputs_and_vectors() -> None:
    assert openai_bodies.texts_of({"input": "a"}) == ["a"]
    assert openai_bodies.texts_of({"input": ["a", "b"]}) == ["a", "b"]
    assert openai_bodies.texts_of({"input": [1, 2]}) == ["[1, 2]"]
    assert openai_bodies.texts_of({"input": [[1], [2]]}) == ["[1]", "[2]"]
    refused: list[object] = [None, "", [], [""], [{}], 5, ["x"] * 3000]
    for wrong in refused:
        with pytest.raises(Refused):
            openai_bodies.texts_of({"input": wrong})
    packed: Any = openai_bodies.embeddings("m", [[0.5, -1.0]], 1, as_base64=True)
    assert struct.unpack("<2f", base64.b64decode(packed["data"][0]["embedding"])) == (0.5, -1.0)


TENSOR = {"name": "frame", "shape": [1], "datatype": "UINT8", "data": [1]}


def test_infer_requests_with_and_without_the_binary_extension() -> None:
    text = json.dumps({"inputs": [TENSOR]}).encode()
    assert oip_bodies.infer_request(text, None)["inputs"] == [TENSOR]
    assert oip_bodies.infer_request(text + b"\x00\xff" * 100, b"%d" % len(text))["inputs"] == [TENSOR]
    for body, length in [(text, b"x"), (text, b"9999"), (b"{}", None), (b"[]", None), (b'{"inputs": [{}]}', None)]:
        with pytest.raises(Refused):
            oip_bodies.infer_request(body, length)


def test_an_infer_answer_returns_the_id_only_if_there_was_one() -> None:
    found = [("person", 0.9, (0.1, 0.2, 0.3, 0.4)), ("vehicle", 0.8, (0.0, 0.0, 0.5, 0.5))]
    answer: Any = oip_bodies.infer_answer("m", {"id": "7"}, found)
    assert answer["id"] == "7"
    assert [output["shape"] for output in answer["outputs"]] == [[2], [2], [2, 4]]
    assert answer["outputs"][2]["data"][:4] == [0.1, 0.2, 0.3, 0.4]
    assert "id" not in oip_bodies.infer_answer("m", {}, found)


def chunk(**choice: object) -> dict[str, object]:
    return {"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "finish_reason": None, **choice}]}


def test_chunks_join_to_the_document_an_unstreamed_request_gets() -> None:
    answer: Any = joined(
        [
            chunk(delta={"role": "assistant", "content": None}),
            chunk(delta={"content": "Hel"}),
            chunk(delta={"content": "lo"}, logprobs={"content": [{"token": "lo"}]}),
            chunk(delta={}, finish_reason="stop"),
            {"id": "c1", "choices": [], "usage": {"total_tokens": 3}, "timings": {"prompt_ms": 1.0}},
        ]
    )
    assert answer["object"] == "chat.completion"
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello"},
            "logprobs": {"content": [{"token": "lo"}]},
            "finish_reason": "stop",
        }
    ]
    assert (answer["usage"], answer["timings"]) == ({"total_tokens": 3}, {"prompt_ms": 1.0})


def test_tool_calls_and_text_completions_join_too() -> None:
    calls = [
        {"index": 0, "id": "t1", "type": "function", "function": {"name": "weather", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"city":'}},
        {"index": 0, "function": {"arguments": '"Paris"}'}},
    ]
    message: Any = joined([chunk(delta={"tool_calls": [call]}) for call in calls])["choices"]
    assert message[0]["message"] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
        ],
    }
    text: Any = joined([chunk(text="a"), chunk(text="b", finish_reason="length")])
    assert text["choices"] == [{"index": 0, "text": "ab", "logprobs": None, "finish_reason": "length"}]


def test_progress_is_told_from_text_that_speaks_of_it() -> None:
    assert is_progress('{"choices":[],"prompt_progress":{"total":9}}')
    assert not is_progress(json.dumps({"content": 'the field "prompt_progress": as text'}, separators=(",", ":")))
