"""One prompt through a gateway: what is sent, what is told of the answer, and every way it can go wrong."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.thresholds import Thresholds
from mcp_tools import chat, inference
from mcp_tools.chat import GatewayChat
from mcp_tools.in_process import FleetInProcess, OwnRounds
from tests.support.controllers import Metro
from tests.support.mcp_sessions import in_process, operator, refusal, telling_metro, told, with_client
from tests.support.serving import served

ASKED = {"model": "llm", "site": "site-a", "prompt": "Say hello.", "max_tokens": 5}


def piece(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"model": "llm", "choices": [choice]}).encode() + b"\n\n"


WHOLE = [piece("Hel"), piece("lo", "stop"), b"data: [DONE]\n\n"]


class Gateway:
    """An ASGI application that answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.pieces: Sequence[bytes] = WHOLE
        self.ends = True
        self.headers: dict[bytes, bytes] = {}
        self.body: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers = dict(scope["headers"])
        self.body = json.loads((await receive())["body"])
        told_of = [(b"x-request-id", b"dec-1"), (b"x-edgemind-site", b"site-c"), (b"x-edgemind-reason", b"table")]
        await send({"type": "http.response.start", "status": self.status, "headers": told_of})
        for number, content in enumerate(self.pieces, 1):
            more = number < len(self.pieces) or not self.ends
            await send({"type": "http.response.body", "body": content, "more_body": more})
        while not self.ends and (await receive())["type"] != "http.disconnect":
            pass


class Behind(FleetInProcess):
    """A fleet whose sites have the gateway of a test."""

    gateway_url: str | None = None

    async def site(self, name: str) -> SiteStatus:
        return replace(await super().site(name), gateway_url=self.gateway_url)


@pytest.fixture(scope="module")
def group() -> Metro:
    return telling_metro()


@pytest.fixture(scope="module")
def listening() -> Iterator[tuple[Gateway, str]]:
    gateway = Gateway()
    with served(gateway) as url:
        yield gateway, url


@pytest.fixture
def gateway(listening: tuple[Gateway, str]) -> Gateway:
    listening[0].status, listening[0].pieces, listening[0].ends = 200, WHOLE, True
    return listening[0]


@pytest.fixture
def fleet(group: Metro, listening: tuple[Gateway, str]) -> Behind:
    found = Behind(lambda: group.controllers["site-a"], lambda: OwnRounds(Thresholds()), group.clock)
    found.gateway_url = listening[1]
    return found


def test_a_prompt_goes_to_the_gateway_like_a_devices(gateway: Gateway, fleet: Behind) -> None:
    answer = told("inference", operator(fleet, GatewayChat("em_key")), "run_inference", **ASKED)
    assert answer.pop("took_ms") > 0
    assert answer == {
        "text": "Hello", "finish_reason": "stop", "site": "site-c", "reason": "table", "decision_id": "dec-1",
    }  # fmt: skip
    assert gateway.body == {
        "model": "llm",
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": 5,
        "stream": True,
    }
    assert gateway.headers[b"authorization"] == b"Bearer em_key"
    assert gateway.headers[b"x-edgemind-deadline-ms"] == b"30000"


def test_without_a_key_none_is_sent(gateway: Gateway, fleet: Behind) -> None:
    told("inference", operator(fleet, GatewayChat(None)), "run_inference", **ASKED)
    assert b"authorization" not in gateway.headers


@pytest.mark.parametrize(
    ("status", "pieces", "said"),
    [
        (401, [b'{"error": {"message": "no such key"}}'], "answered 401: no such key"),
        (503, [b"busy"], "answered 503: busy"),
        (200, [piece("Hel")], "broke off"),
        (200, [b"{}"], "broke off"),
        (200, [b'data: {"error": {"message": "out of memory"}}\n\n', b"data: [DONE]\n\n"], "error: out of memory"),
        (200, [piece("x" * 2000), b"data: [DONE]\n\n"], "longer than 1000 bytes"),
    ],
)
def test_what_goes_wrong_at_the_gateway_is_told(
    gateway: Gateway, fleet: Behind, monkeypatch: pytest.MonkeyPatch, status: int, pieces: list[bytes], said: str
) -> None:
    monkeypatch.setattr(chat, "ANSWER_LIMIT_BYTES", 1000)
    gateway.status, gateway.pieces = status, pieces
    told_why = refusal("inference", operator(fleet, GatewayChat(None)), "run_inference", **ASKED)
    assert told_why.startswith("Error executing tool run_inference: ")
    assert said in told_why


def test_an_answer_that_is_too_long_is_given_up_while_it_comes(
    gateway: Gateway, fleet: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "ANSWER_LIMIT_BYTES", 1000)
    gateway.pieces, gateway.ends = [piece("Hel"), piece("x" * 2000)], False
    told_why = refusal("inference", operator(fleet, GatewayChat(None)), "run_inference", **ASKED)
    assert "longer than 1000 bytes" in told_why


def test_a_site_without_a_gateway_and_a_gateway_that_is_gone(group: Metro, fleet: Behind) -> None:
    fleet.gateway_url = None
    assert "site-a has no gateway" in refusal("inference", operator(fleet, GatewayChat(None)), "run_inference", **ASKED)
    fleet.gateway_url = "http://127.0.0.1:1"
    assert "127.0.0.1:1" in refusal("inference", operator(fleet, GatewayChat(None)), "run_inference", **ASKED)
    assert "no gateway can be asked" in refusal("inference", operator(in_process(group)), "run_inference", **ASKED)


def test_a_long_answer_tells_how_far_it_is(gateway: Gateway, fleet: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "PROGRESS_EVERY_S", 0.0)
    heard: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    result = with_client(
        "inference",
        operator(fleet, GatewayChat(None)),
        lambda client: client.call_tool("run_inference", ASKED, progress_callback=hear),
    )
    assert not result.is_error
    assert heard[0] == "0 pieces of the answer have come"
