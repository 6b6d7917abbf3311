"""Amazon Bedrock's Converse API over HTTP/1.1, on the gateway's own client: `ports.converse.ConverseModels`."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from edgemind.adapters.inference.bedrock_account import BedrockAccount
from edgemind.adapters.inference.bedrock_faults import fault_of, refused
from edgemind.adapters.inference.event_stream import Frame, FrameDamaged, FrameReader
from edgemind.errors import UpstreamCut, UpstreamFailed
from edgemind.ports.converse import CallFailed, CallFault, ConverseEvent
from edgemind.ports.inference import Upstream, UpstreamResponse

ANSWER_LIMIT_BYTES = 32 * 1024 * 1024
"""Beyond any answer of a model; an endpoint that went wrong must not fill this process."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Times in seconds: until an answer begins, and between two pieces of it."""

    first_byte_s: float
    silence_s: float


class BedrockModels:
    """`connect` gives the pool of connections of an origin."""

    def __init__(self, account: BedrockAccount, connect: Callable[[str], Upstream], limits: CallLimits) -> None:
        self._account = account
        self._connect = connect
        self._limits = limits

    async def available(self) -> None:
        await self._account.available()

    async def converse(
        self, model_id: str, request: Mapping[str, Any], *, streaming: bool
    ) -> AsyncGenerator[ConverseEvent]:
        body = json.dumps(request).encode()
        operation = "converse-stream" if streaming else "converse"
        head = await self._account.head(model_id, operation, body)
        response = await self._sent(head, body)
        async with aclosing(self._chunks(response)) as chunks:
            if response.status != 200:
                raise refused(response.status, dict(response.headers), await _whole(chunks))
            if not streaming:
                for event in _events_of(await _whole(chunks)):
                    yield event
                return
            reader = FrameReader()
            async for chunk in chunks:
                for event in _framed(reader, chunk):
                    yield event

    async def _sent(self, head: bytes, body: bytes) -> UpstreamResponse:
        try:
            async with asyncio.timeout(self._limits.first_byte_s):
                return await self._connect(self._account.origin).send(head, body)
        except TimeoutError as exc:
            wait_s = self._limits.first_byte_s
            raise CallFailed(CallFault.TIMED_OUT, f"Bedrock did not begin to answer within {wait_s:g} s") from exc
        except UpstreamFailed as exc:
            raise CallFailed(CallFault.FAILED, f"Bedrock cannot be reached: {exc}") from exc

    async def _chunks(self, response: UpstreamResponse) -> AsyncGenerator[bytes]:
        """The body as it comes, no faster than it is taken. Closed early, the connection is closed at once."""
        size = 0
        try:
            while chunk := await self._more(response):
                size += len(chunk)
                if size > ANSWER_LIMIT_BYTES:
                    raise CallFailed(CallFault.FAILED, f"Bedrock's answer is larger than {ANSWER_LIMIT_BYTES} bytes")
                yield chunk
        finally:
            response.cancel()

    async def _more(self, response: UpstreamResponse) -> bytes:
        try:
            async with asyncio.timeout(self._limits.silence_s):
                return await response.more()
        except TimeoutError as exc:
            silence_s = self._limits.silence_s
            raise CallFailed(CallFault.TIMED_OUT, f"Bedrock fell silent for {silence_s:g} s in mid-answer") from exc
        except UpstreamCut as exc:
            raise CallFailed(CallFault.FAILED, f"Bedrock's answer was cut: {exc}") from exc


async def _whole(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def _framed(reader: FrameReader, chunk: bytes) -> Iterator[ConverseEvent]:
    try:
        for frame in reader.feed(chunk):
            yield _event(frame)
    except FrameDamaged as exc:
        raise CallFailed(CallFault.FAILED, f"Bedrock's answer was damaged on its way: {exc}") from exc


def _event(frame: Frame) -> ConverseEvent:
    if frame.kind != "event":
        raise fault_of(frame.name, frame.payload)
    return ConverseEvent(frame.name, _object(frame.payload))


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as exc:
        raise CallFailed(CallFault.FAILED, "Bedrock's answer is not JSON") from exc
    if not isinstance(document, dict):
        raise CallFailed(CallFault.FAILED, "Bedrock's answer is not an object")
    return document


def _events_of(body: bytes) -> Iterator[ConverseEvent]:
    """A whole answer as the events that it would have been streamed in."""
    document = _object(body)
    try:
        yield ConverseEvent("messageStart", {"role": "assistant"})
        for index, block in enumerate(document["output"]["message"]["content"]):
            yield from _block_events(index, block)
        yield ConverseEvent("messageStop", {"stopReason": document["stopReason"]})
        yield ConverseEvent("metadata", {name: document[name] for name in ("usage", "metrics") if name in document})
    except (AttributeError, KeyError, TypeError) as exc:
        raise CallFailed(CallFault.FAILED, f"Bedrock's answer has another form than Converse's ({exc})") from exc


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[ConverseEvent]:
    if (call := block.get("toolUse")) is not None:
        start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
        yield ConverseEvent("contentBlockStart", {"contentBlockIndex": index, "start": start})
        delta: Mapping[str, Any] = {"toolUse": {"input": json.dumps(call["input"])}}
    elif (reasoning := block.get("reasoningContent")) is not None:
        delta = {"reasoningContent": {"text": (reasoning.get("reasoningText") or {}).get("text", "")}}
    else:
        delta = {"text": block.get("text") or ""}
    yield ConverseEvent("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
    yield ConverseEvent("contentBlockStop", {"contentBlockIndex": index})
