"""The proxy's routes: chat completions, streamed and not, over models of Bedrock; the model list is its readiness."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from edgemind.domain.service_time import MEASURED_MS_HEADER
from edgemind.entrypoints.bedrock_proxy.chat_answers import ChatAnswer, Chunk, Label
from edgemind.entrypoints.bedrock_proxy.chat_request import Asked, asked_of
from edgemind.entrypoints.bedrock_proxy.failures import FailureLog, check_key, refusal
from edgemind.entrypoints.model_server import openai_bodies
from edgemind.entrypoints.model_server.application import Application, unknown_model
from edgemind.entrypoints.model_server.exchange import DONE, Exchange, Header, Refused, event
from edgemind.entrypoints.model_server.llama_answers import joined
from edgemind.entrypoints.model_server.slots import Slots
from edgemind.ports.converse import CallFailed, CallFault, ConverseModels


@dataclass(frozen=True, slots=True)
class Served:
    """One model: its name here, its id at Bedrock, and how many calls of it may run."""

    name: str
    model_id: str
    streaming: bool
    slots: Slots


@dataclass(frozen=True, slots=True)
class ProxyRules:
    """`key` is what callers bring, if anything."""

    key: str | None
    max_body_bytes: int
    answer_timeout_s: float


def proxy_app(bedrock: ConverseModels, models: Sequence[Served], rules: ProxyRules) -> Application:
    proxy = BedrockProxy(bedrock, {served.name: served for served in models}, rules)
    routes = {
        ("POST", "/v1/chat/completions"): proxy.chat,
        ("POST", "/v1/completions"): proxy.unsupported,
        ("POST", "/v1/embeddings"): proxy.unsupported,
        ("GET", "/v1/models"): proxy.list,
        ("GET", "/v2/health/ready"): proxy.ready,
        ("GET", "/v2/health/live"): proxy.health,
        ("GET", "/health"): proxy.health,
    }
    return Application(routes)


class BedrockProxy:
    """Handlers over one account's models."""

    def __init__(self, bedrock: ConverseModels, models: Mapping[str, Served], rules: ProxyRules) -> None:
        self._bedrock = bedrock
        self._models = models
        self._rules = rules
        self._log = FailureLog()

    async def list(self, exchange: Exchange) -> None:
        check_key(exchange, self._rules.key)
        await self._available()
        await exchange.answer(200, openai_bodies.model_list(tuple(self._models), "amazon-bedrock"))

    async def ready(self, exchange: Exchange) -> None:
        await self._available()
        await exchange.answer(200, {"ready": True})

    async def health(self, exchange: Exchange) -> None:
        """Alive; and how busy each model is."""
        busy = {
            name: {"slots": served.slots.slots, "in_flight": served.slots.in_flight, "queued": served.slots.queued}
            for name, served in self._models.items()
        }
        await exchange.answer(200, {"status": "ok", "live": True, "models": busy})

    async def unsupported(self, exchange: Exchange) -> None:
        raise Refused(501, "this proxy serves chat: POST /v1/chat/completions", "unsupported")

    async def chat(self, exchange: Exchange) -> None:
        check_key(exchange, self._rules.key)
        document = openai_bodies.parse_object(await exchange.body(self._rules.max_body_bytes))
        name = openai_bodies.model_of(document)
        served = self._models.get(name)
        if served is None:
            raise unknown_model(name, ", ".join(self._models))
        asked = asked_of(document)
        try:
            await exchange.unless_gone(self._in_time(exchange, served, asked))
        except CallFailed as exc:
            self._log.failed(name, exc)
            refused = refusal(exc)
            if not exchange.started:
                raise refused from exc
            # The status is long sent: an error event is what tells this end from a clean one.
            await exchange.stream(event(refused.document()))
            await exchange.end()
        else:
            self._log.answered(name)

    async def _available(self) -> None:
        """Raises Refused (503) while no call could be signed: whoever probes looks elsewhere."""
        try:
            await self._bedrock.available()
        except CallFailed as exc:
            self._log.failed("bedrock", exc)
            raise Refused(503, str(exc), "bedrock_denied") from exc
        self._log.answered("bedrock")

    async def _in_time(self, exchange: Exchange, served: Served, asked: Asked) -> None:
        answer = self._stream if asked.stream else self._document
        limit_s = self._rules.answer_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                await answer(exchange, served, asked)
        except TimeoutError as exc:
            raise CallFailed(CallFault.TIMED_OUT, f"the answer was not whole within {limit_s:g} s") from exc

    async def _stream(self, exchange: Exchange, served: Served, asked: Asked) -> None:
        """The first event sent is the first token: until then a failure still has a status to be told by."""
        answer = _answer_of(served)
        async with aclosing(self._chunks(served, asked, answer)) as chunks:
            async for chunk, took_ms in chunks:
                await exchange.stream(event(chunk), _took(took_ms))
        tail = event(answer.usage_chunk()) if asked.usage_in_stream and answer.usage else b""
        await exchange.stream(tail + DONE)
        await exchange.end()

    async def _document(self, exchange: Exchange, served: Served, asked: Asked) -> None:
        answer, took_ms, chunks = _answer_of(served), 0.0, []
        async with aclosing(self._chunks(served, asked, answer)) as events:
            async for chunk, came_ms in events:
                chunks.append(chunk)
                took_ms = came_ms
        document = joined([*chunks, answer.usage_chunk()] if answer.usage else chunks)
        # Bedrock's own figure leaves the network between here and there out.
        await exchange.answer(200, document, _took(took_ms if answer.bedrock_ms is None else answer.bedrock_ms))

    async def _chunks(self, served: Served, asked: Asked, answer: ChatAnswer) -> AsyncGenerator[tuple[Chunk, float]]:
        """Each chunk with the ms since the call began, in a slot. Raises CallFailed, QueueFull."""
        lease = await served.slots.acquire()
        try:
            began_s = time.monotonic()
            calling = self._bedrock.converse(served.model_id, asked.body, streaming=served.streaming)
            async with aclosing(calling) as events:
                async for one in events:
                    chunk = answer.chunk(one)
                    if chunk is not None:
                        yield chunk, (time.monotonic() - began_s) * 1000.0
        finally:
            lease.release()
        if not answer.finished:
            raise CallFailed(CallFault.FAILED, "Bedrock's answer ended before its end")


def _answer_of(served: Served) -> ChatAnswer:
    return ChatAnswer(Label(f"chatcmpl-{uuid.uuid4().hex}", served.name, int(time.time())))


def _took(took_ms: float) -> tuple[Header, ...]:
    return ((MEASURED_MS_HEADER, b"%.3f" % took_ms),)
