"""Simulated chat, completions and embeddings in OpenAI's protocol."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from edgemind.adapters.inference.simulated import DEFAULT_DIMENSIONS
from edgemind.entrypoints.model_server import openai_bodies
from edgemind.entrypoints.model_server.exchange import DONE, Exchange, event
from edgemind.entrypoints.model_server.openai_bodies import Document, Stamp
from edgemind.entrypoints.model_server.service import Station, Stations


@dataclass(frozen=True, slots=True)
class Script:
    """A simulated answer, ready before its service time begins. `used` is its token usage."""

    stamp: Stamp
    pieces: Sequence[str]
    finish: str
    used: Document
    usage_in_stream: bool


class SimulatedOpenAI:
    """Handlers over the models of one server."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    async def list(self, exchange: Exchange) -> None:
        await exchange.answer(200, openai_bodies.model_list(self._stations.names, "edgemind-simulated"))

    async def chat(self, exchange: Exchange) -> None:
        await self._complete(exchange, chat=True)

    async def complete(self, exchange: Exchange) -> None:
        await self._complete(exchange, chat=False)

    async def embed(self, exchange: Exchange) -> None:
        document = openai_bodies.parse_object(await exchange.body())
        station = self._stations.find(openai_bodies.model_of(document))
        texts = openai_bodies.texts_of(document)
        dimensions = openai_bodies.dimensions_of(document, DEFAULT_DIMENSIONS)
        vectors = [station.model.embed(text, dimensions) for text in texts]
        tokens = sum(len(text.split()) for text in texts)
        as_base64 = document.get("encoding_format") == "base64"
        answer = openai_bodies.embeddings(station.model.name, vectors, tokens, as_base64)
        await station.answer_in_turn(exchange, answer)

    async def _complete(self, exchange: Exchange, chat: bool) -> None:
        document = openai_bodies.parse_object(await exchange.body())
        station = self._stations.find(openai_bodies.model_of(document))
        asked = openai_bodies.generation_of(document, chat)
        answer_id = f"{'chatcmpl' if chat else 'cmpl'}-simulated-{uuid.uuid4().hex[:16]}"
        pieces = station.model.reply(asked.prompt, asked.max_tokens)
        script = Script(
            stamp=Stamp(answer_id, station.model.name, int(time.time()), chat),
            pieces=pieces,
            finish="length" if len(pieces) == asked.max_tokens else "stop",
            used=openai_bodies.usage(len(asked.prompt.split()), len(pieces)),
            usage_in_stream=asked.usage_in_stream,
        )
        if asked.stream:
            await exchange.unless_gone(_stream(exchange, station, script))
        else:
            text = "".join(pieces)
            answer = openai_bodies.completion(script.stamp, text, script.finish, script.used)
            await station.answer_in_turn(exchange, answer)


async def _stream(exchange: Exchange, station: Station, script: Script) -> None:
    """Chunks in equal steps over the service time: the first after one step, the last when it is over."""
    async with station.turn() as turn:
        for index, piece in enumerate(script.pieces):
            headers = await turn.until((index + 1) / len(script.pieces))
            chunk = openai_bodies.completion_chunk(script.stamp, piece, index == 0, None)
            await exchange.stream(event(chunk), headers)
    tail = event(openai_bodies.completion_chunk(script.stamp, None, False, script.finish))
    if script.usage_in_stream:
        tail += event({**script.stamp.document(".chunk"), "choices": [], "usage": script.used})
    await exchange.stream(tail + DONE)
    await exchange.end()
