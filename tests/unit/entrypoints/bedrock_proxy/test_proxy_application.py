"""The proxy's handlers over models that are told what to do: its own limits, and what is left when calls end."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from edgemind.entrypoints.bedrock_proxy.application import ProxyRules, Served, proxy_app
from edgemind.entrypoints.model_server.slots import Slots
from edgemind.ports.converse import CallFailed, CallFault, ConverseEvent

WORD = ConverseEvent("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "word"}})
STOP = ConverseEvent("messageStop", {"stopReason": "end_turn"})
USED = ConverseEvent("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}, "metrics": {"latencyMs": 3}})
Play = Callable[[], AsyncGenerator[ConverseEvent]]


@dataclass(slots=True)
class ToldModels:
    """What `play` yields; `closed` counts the calls that were ended, whichever way."""

    play: Play
    missing: str = ""
    closed: int = 0
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    async def converse(
        self, model_id: str, request: Mapping[str, Any], *, streaming: bool
    ) -> AsyncGenerator[ConverseEvent]:
        self.asked.append(request)
        try:
            async for event in self.play():
                yield event
        finally:
            self.closed += 1

    async def available(self) -> None:
        if self.missing:
            raise CallFailed(CallFault.DENIED, self.missing)


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


async def whole() -> AsyncGenerator[ConverseEvent]:
    for event in (WORD, STOP, USED):
        yield event


async def never() -> AsyncGenerator[ConverseEvent]:
    await asyncio.Event().wait()
    yield WORD


async def one_word_then_nothing() -> AsyncGenerator[ConverseEvent]:
    yield WORD
    await asyncio.Event().wait()


def served(slots: int = 1) -> Served:
    return Served("chat", "test.chat", True, Slots(slots, 1, 100.0))


def ask(
    models: ToldModels, method: str = "POST", path: str = "/v1/chat/completions", *, key: str | None = None,
    timeout_s: float = 60.0, one: Served | None = None, leave: bool = False, **fields: Any,
) -> Answer:  # fmt: skip
    """One request; with `leave` its client is gone as soon as the call runs."""
    app = proxy_app(models, [one or served()], ProxyRules(key, 10_000, timeout_s))
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}], **fields}).encode()
    messages = [{"type": "http.request", "body": body}]
    answer = Answer()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        # The call runs by the time that its client is listened to again.
        await asyncio.sleep(0) if leave else await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], dict(message["headers"])
        answer.body += message.get("body", b"")

    async def main() -> None:
        await app({"type": "http", "method": method, "path": path, "headers": []}, receive, send)
        # What was cancelled ends in its own time.
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(main())
    return answer


def code(answer: Answer) -> Any:
    return json.loads(answer.body.removeprefix(b"data: "))["error"]["code"]


def test_an_answer_that_does_not_begin_in_all_its_time_is_given_up() -> None:
    models, one = ToldModels(never), served()
    answer = ask(models, timeout_s=0.01, one=one)
    assert (answer.status, code(answer)) == (504, "bedrock_timeout")
    assert (models.closed, one.slots.in_flight) == (1, 0)


def test_a_stream_that_is_not_whole_in_time_ends_with_an_error() -> None:
    models, one = ToldModels(one_word_then_nothing), served()
    answer = ask(models, timeout_s=0.01, one=one, stream=True)
    assert answer.status == 200
    *_, last = answer.body.strip().split(b"\n\n")
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "bedrock_timeout"
    assert (models.closed, one.slots.in_flight) == (1, 0)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_ends_its_call_and_frees_its_slot(stream: bool) -> None:
    models, one = ToldModels(never), served()
    assert ask(models, one=one, leave=True, stream=stream).status == 0
    assert (models.closed, one.slots.in_flight) == (1, 0)


def test_what_is_wrong_with_a_request_is_told_before_a_slot_is_taken() -> None:
    models = ToldModels(whole)
    assert ask(models, temperature=7).status == 400
    assert ask(models, model="other").status == 404
    assert ask(models, padding="x" * 10_000).status == 413
    assert models.asked == []


def test_without_credentials_it_is_not_ready_but_alive() -> None:
    models = ToldModels(whole, missing="no AWS credentials: ...")
    for path in ("/v1/models", "/v2/health/ready"):
        answer = ask(models, "GET", path)
        assert (answer.status, json.loads(answer.body)["error"]["message"]) == (503, models.missing)
    assert ask(models, "GET", "/health").status == 200


def test_a_key_is_asked_for_where_models_are_used_or_listed() -> None:
    models = ToldModels(whole)
    assert [ask(models, "GET", path, key="k").status for path in ("/v1/models", "/health")] == [401, 200]
    assert ask(models, key="k").status == 401
    assert ask(models).status == 200
    assert len(models.asked) == 1
