"""One device request against scripted ingresses: what is sent again, what is counted as what."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from edgemind.domain.attachment import Attachment
from edgemind.domain.device_mixes import EVERYDAY
from edgemind.domain.payloads import Payload
from edgemind.errors import UpstreamCut, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.inference import ANSWER_LIMIT_BYTES, AnswerSink, Headers, PendingRequest
from edgemind.services.devices import asking
from edgemind.services.devices.asking import DeviceCalls
from edgemind.services.devices.outcomes import Outcome, Result
from edgemind.services.devices.population import Device
from tests.support.clocks import ManualClock

ACTIVITY = EVERYDAY[0]
PAYLOAD = Payload("/v2/models/simulated-detector/infer", (("content-type", "application/json"),), b"{}")
GOOD = json.dumps({"model_name": ACTIVITY.model, "outputs": [{"name": "labels"}]}).encode()
RECEIPT = ((b"x-edgemind-site", b"b"), (b"x-edgemind-reason", b"table"), (b"x-request-id", b"dec-1"))


@dataclass
class Answer:
    """A scripted answer: `first_ms` and `rest_ms` pass on the clock before its first byte and its end."""

    status: int = 200
    body: bytes = GOOD
    headers: Headers = RECEIPT
    first_ms: float = 0.0
    rest_ms: float = 0.0
    cut: bool = False
    clock: ManualClock | None = None
    complete: bool = False

    def take(self) -> bytes:
        return self.body[:2]

    async def more(self) -> bytes:
        raise NotImplementedError

    async def whole(self, limit: int = ANSWER_LIMIT_BYTES) -> bytes:
        if self.cut:
            raise UpstreamCut("died in mid-answer")
        if self.clock is not None:
            self.clock.advance(self.rest_ms / 1000)
        return self.body

    def cancel(self) -> None: ...


@dataclass
class Ingress:
    """Answers each request by the next line of its script; an exception is raised instead."""

    script: list[Answer | Exception]
    clock: ManualClock
    heads: list[bytes] = field(default_factory=list)

    async def send(self, head: bytes, body: bytes) -> Answer:
        self.heads.append(head)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        self.clock.advance(step.first_ms / 1000)
        step.clock = self.clock
        return step

    def request(self, head: bytes, body: bytes, sink: AnswerSink) -> PendingRequest:
        raise NotImplementedError

    async def close(self) -> None: ...


class Case:
    """A device at home at `a`, with `b` next."""

    def __init__(self, a: Sequence[Answer | Exception], b: Sequence[Answer | Exception] = ()) -> None:
        self.clock = ManualClock()
        self.ingresses = {"http://a:1": Ingress(list(a), self.clock), "http://b:1": Ingress(list(b), self.clock)}
        self.device = Device(ACTIVITY, Attachment(["a", "b"]), "session-1")
        gateways = {"a": "http://a:1", "b": "http://b:1"}
        self.calls = DeviceCalls(lambda url: self.ingresses[url], gateways, "em_key", self.clock)

    def ask(self) -> Outcome:
        return asyncio.run(self.calls.ask(self.device, PAYLOAD))


def test_a_request_says_who_asks_and_what_for() -> None:
    case = Case([Answer()])
    assert case.ask().result is Result.OK
    lines = case.ingresses["http://a:1"].heads[0].decode().split("\r\n")
    assert lines[0] == "POST /v2/models/simulated-detector/infer HTTP/1.1"
    assert {"host: a:1", "authorization: Bearer em_key", "content-length: 2", "x-edgemind-session: session-1"} < set(
        lines
    )


def test_added_latency_is_the_wait_less_the_models_own_time() -> None:
    told = (*RECEIPT, (b"x-simulated-service-ms", b"15.0"))
    outcome = Case([Answer(first_ms=18.0, rest_ms=3.0, headers=told)]).ask()
    assert outcome.added_ms == pytest.approx(3.0)
    assert outcome.total_ms == pytest.approx(21.0)
    assert (outcome.home, outcome.site, outcome.reason, outcome.decision_id) == ("a", "b", "table", "dec-1")


def test_an_answer_that_does_not_tell_has_no_added_latency() -> None:
    assert Case([Answer(first_ms=18.0)]).ask().added_ms is None


@pytest.mark.parametrize("gone", [UpstreamUnreachable("refused"), UpstreamFailed("reset")])
def test_with_its_ingress_gone_the_same_request_goes_to_the_next(gone: Exception) -> None:
    case = Case([gone], [Answer(), Answer()])
    outcome = case.ask()
    assert (outcome.result, outcome.moves, outcome.home) == (Result.OK, 1, "a")
    assert case.device.attachment.current == "b"
    # It stays there until its home is found healthy.
    assert case.ask().moves == 0


def test_an_ingress_that_leaves_is_left() -> None:
    leaving = Answer(503, b"{}", ((b"connection", b"close"),))
    assert Case([leaving], [Answer()]).ask().result is Result.OK


def test_a_shed_request_is_not_sent_elsewhere() -> None:
    """Every ingress has the same candidates: another one would only be asked in vain."""
    shed = Answer(503, b"{}", ((b"x-edgemind-reason", b"shed:overloaded"),))
    case = Case([shed])
    outcome = case.ask()
    assert (outcome.result, outcome.reason) == (Result.SHED, "shed:overloaded")
    assert case.device.attachment.current == "a"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
def test_any_other_refusal_is_a_failure(status: int) -> None:
    outcome = Case([Answer(status, b'{"error": {}}')]).ask()
    assert outcome.result is Result.FAILED
    assert outcome.why is not None
    assert str(status) in outcome.why


def test_an_unusable_answer_is_a_failure() -> None:
    outcome = Case([Answer(body=b"{}")]).ask()
    assert (outcome.result, outcome.in_time) == (Result.FAILED, False)


def test_an_answer_that_is_cut_is_a_failure_and_not_repeated() -> None:
    answer = Answer(cut=True)
    outcome = Case([answer], [Answer()]).ask()
    assert (outcome.result, outcome.why) == (Result.FAILED, "died in mid-answer")


def test_without_any_ingress_it_fails_once() -> None:
    outcome = Case([UpstreamUnreachable("refused")], [UpstreamUnreachable("refused")]).ask()
    assert outcome.result is Result.FAILED
    assert outcome.why == "no ingress can be reached: refused"


def test_a_late_answer_is_an_answer_but_not_in_time() -> None:
    outcome = Case([Answer(first_ms=ACTIVITY.deadline_ms + 1)]).ask()
    assert (outcome.result, outcome.in_time) == (Result.OK, False)


def test_a_device_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LEAST_PATIENCE_S", 0.0)
    monkeypatch.setattr(asking, "PATIENCE", 0.0)

    class Silent(Ingress):
        async def send(self, head: bytes, body: bytes) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    case = Case([])
    case.ingresses["http://a:1"] = Silent([], case.clock)
    outcome = case.ask()
    assert outcome.result is Result.FAILED
    assert (outcome.why or "").startswith("no answer within")


def test_health_of_an_ingress() -> None:
    case = Case([Answer(), Answer(503), UpstreamUnreachable("refused"), Answer(headers=((b"connection", b"close"),))])
    assert [asyncio.run(case.calls.healthy("a")) for _ in range(4)] == [True, False, False, False]
    assert case.ingresses["http://a:1"].heads[0].startswith(b"GET /v2/health/ready HTTP/1.1\r\nhost: a:1\r\n")
