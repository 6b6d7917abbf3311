"""OpenAI's chat requests as Converse's: what is said in other words, and what is refused rather than dropped."""

from typing import Any

import pytest

from edgemind.entrypoints.bedrock_proxy.chat_request import asked_of
from edgemind.entrypoints.model_server.exchange import Refused

HI = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "1"}


def body_of(*messages: Any, **fields: Any) -> dict[str, Any]:
    return asked_of({"model": "m", "messages": list(messages) or [HI], **fields}).body


def turns(*messages: Any, **fields: Any) -> list[tuple[str, list[Any]]]:
    return [(turn["role"], turn["content"]) for turn in body_of(*messages, **fields)["messages"]]


def test_nothing_that_was_not_asked_for_is_sent() -> None:
    assert body_of() == {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}


def test_turns_of_one_side_in_a_row_are_one() -> None:
    more = {"role": "user", "content": "there"}
    assert turns(HI, more, {"role": "assistant", "content": "yes"}, HI) == [
        ("user", [{"text": "hi"}, {"text": "there"}]),
        ("assistant", [{"text": "yes"}]),
        ("user", [{"text": "hi"}]),
    ]


def test_results_of_tools_come_from_the_users_side() -> None:
    second = {**RESULT, "tool_call_id": "c2", "content": ""}
    assert turns(HI, CALLED, RESULT, second, HI, tools=[TOOL])[1:] == [
        ("assistant", [{"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}}]),
        (
            "user",
            [
                {"toolResult": {"toolUseId": "c1", "content": [{"text": "1"}]}},
                {"toolResult": {"toolUseId": "c2", "content": []}},
                {"text": "hi"},
            ],
        ),
    ]


def test_blank_texts_are_left_out() -> None:
    parts = [{"type": "text", "text": " "}, {"type": "text", "text": "hi"}]
    assert turns({"role": "user", "content": parts}) == [("user", [{"text": "hi"}])]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "add"}}, {"tool": {"name": "add"}}),
    ],
)
def test_the_choice_of_tools(choice: object, expected: object) -> None:
    config = body_of(tools=[TOOL], tool_choice=choice)["toolConfig"]
    assert config.get("toolChoice") == expected
    assert config["tools"] == [{"toolSpec": {"name": "add", "inputSchema": {"json": {"type": "object"}}}}]


def test_no_tools_are_offered_to_be_left_alone() -> None:
    assert "toolConfig" not in body_of(tools=[TOOL], tool_choice="none")
    assert "toolConfig" not in body_of(tools=[])


def test_fields_that_change_nothing_are_taken() -> None:
    harmless: dict[str, Any] = {
        "n": 1, "logprobs": False, "presence_penalty": 0, "response_format": {"type": "text"}, "seed": 3, "user": "me",
        "frequency_penalty": None, "parallel_tool_calls": True,
    }  # fmt: skip
    assert body_of(**harmless) == body_of()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"temperature": 1.5}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": "0.5"}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": 7}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": "usage"}, "stream_options"),
        ({"tools": "add"}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": [TOOL], "tool_choice": "sometimes"}, "tool_choice"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as refused:
        body_of(**fields)
    assert (refused.value.status, refused.value.param) == (400, param)


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ("hi", "messages"),
        ([], "messages"),
        (["hi"], "messages[0]"),
        ([{"role": "robot", "content": "hi"}], "messages[0]"),
        ([{"role": ["user"], "content": "hi"}], "messages[0]"),
        ([HI, {"role": "user", "content": "  "}], "messages[1]"),
        ([{"role": "user", "content": 7}], "messages[0]"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0]"),
        ([HI, {**CALLED, "tool_calls": [{"id": "c1"}]}], "messages[1].tool_calls[0]"),
        ([HI, {"role": "tool", "content": "1"}], "messages[1]"),
    ],
)
def test_messages_are_refused_by_their_place(messages: Any, place: str) -> None:
    with pytest.raises(Refused) as refused:
        asked_of({"model": "m", "messages": messages})
    assert refused.value.param == place


@pytest.mark.parametrize("arguments", ["{", "[1]", 7])
def test_arguments_of_a_call_are_an_object(arguments: object) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": arguments}}
    with pytest.raises(Refused, match="must be a JSON object as text"):
        body_of(HI, {"role": "assistant", "tool_calls": [call]}, tools=[TOOL])


@pytest.mark.parametrize("url", ["https://example.com/cat.png", "data:image/svg+xml;base64,aWNvbg==", "data:,x", 7])
def test_an_image_has_to_be_sent(url: object) -> None:
    with pytest.raises(Refused, match="nothing is fetched for you"):
        body_of({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})


def test_tools_that_were_called_have_to_be_declared_again() -> None:
    with pytest.raises(Refused, match="declared again"):
        body_of(HI, CALLED, RESULT)
    with pytest.raises(Refused, match="no tool_choice none"):
        body_of(HI, CALLED, RESULT, tools=[TOOL], tool_choice="none")
