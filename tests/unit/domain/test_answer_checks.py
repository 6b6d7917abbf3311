"""An answer counts when a device could use it."""

import json
from dataclasses import replace

import pytest

from edgemind.domain.answer_checks import complaint
from edgemind.domain.device_mixes import EVERYDAY, Activity, Call


def activity(call: Call) -> Activity:
    return replace(EVERYDAY[0], call=call, model="m")


def body(document: object) -> bytes:
    return json.dumps(document).encode()


def chat(text: object, model: str = "m") -> bytes:
    return body({"model": model, "choices": [{"message": {"role": "assistant", "content": text}}]})


def events(*documents: object, done: bool = True) -> bytes:
    lines = [b"data: " + body(document) + b"\n\n" for document in documents]
    return b"".join(lines) + (b"data: [DONE]\n\n" if done else b"")


def delta(text: str | None, model: str = "m") -> dict[str, object]:
    return {"model": model, "choices": [{"delta": {"content": text} if text is not None else {}}]}


GOOD = {
    Call.CHAT: chat("Paris."),
    Call.CHAT_STREAM: events(delta(None), delta("Par"), delta("is"), {"model": "m", "choices": []}),
    Call.EMBEDDING: body({"model": "m", "data": [{"embedding": [0.5]}]}),
    Call.FRAME: body({"model_name": "m", "outputs": [{"name": "labels"}]}),
    Call.SENSORS: body({"model_name": "m", "outputs": [{"name": "labels"}]}),
}


@pytest.mark.parametrize("call", list(Call))
def test_a_good_answer(call: Call) -> None:
    assert complaint(activity(call), GOOD[call]) is None


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (Call.CHAT, chat("  \n")),
        (Call.CHAT, chat(None)),
        (Call.CHAT, body({"model": "m", "choices": []})),
        (Call.CHAT_STREAM, events(delta(" "), delta(None))),
        (Call.EMBEDDING, body({"model": "m", "data": [{"embedding": []}]})),
        (Call.EMBEDDING, body({"model": "m"})),
        (Call.FRAME, body({"model_name": "m", "outputs": []})),
    ],
)
def test_an_empty_one(call: Call, answer: bytes) -> None:
    assert complaint(activity(call), answer) == "the answer is empty"


@pytest.mark.parametrize("call", list(Call))
def test_another_model(call: Call) -> None:
    asked = replace(activity(call), model="other")
    assert complaint(asked, GOOD[call]) == "'m' answered instead of 'other'"


@pytest.mark.parametrize("call", [Call.CHAT, Call.EMBEDDING, Call.FRAME, Call.SENSORS])
@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'"text"', b'{"model": "m", "data": [3], "choices": [3]}'])
def test_something_else_altogether(call: Call, answer: bytes) -> None:
    assert complaint(activity(call), answer) is not None


def test_a_stream_that_ends_early() -> None:
    assert complaint(activity(Call.CHAT_STREAM), events(delta("Par"), done=False)) == "the stream ended early"
    assert complaint(activity(Call.CHAT_STREAM), b"") == "the stream ended early"


def test_a_stream_that_ends_with_an_error() -> None:
    answer = events(delta("Par"), {"error": {"message": "it died"}})
    assert complaint(activity(Call.CHAT_STREAM), answer) == "the stream ended with an error: it died"
