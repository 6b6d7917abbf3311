"""The llama.cpp model server: OpenAI's completion APIs over an engine in this process.

Requests reach the engine only when they hold a slot, and always as streams: an unstreamed request could not be stopped
when its client hangs up. Where the client wanted one document, `joined` puts it together.
"""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing

from edgemind.adapters.inference.llama_cpp import LlamaEngine, RequestInvalid
from edgemind.entrypoints.model_server import openai_bodies
from edgemind.entrypoints.model_server.application import Application, unknown_model
from edgemind.entrypoints.model_server.exchange import DONE, Exchange, Refused, event
from edgemind.entrypoints.model_server.llama_answers import is_progress, joined
from edgemind.entrypoints.model_server.slots import Slots

Work = Callable[[str, Callable[[str], bool]], None]


def llama_app(model: str, engine: LlamaEngine, slots: Slots, executor: Executor) -> Application:
    """`executor` has at least as many threads as there are slots; it is shut down before the engine is."""
    handlers = LlamaOpenAI(model, engine, slots, executor)
    routes = {
        ("POST", "/v1/chat/completions"): handlers.chat,
        ("POST", "/v1/completions"): handlers.complete,
        ("POST", "/v1/embeddings"): handlers.embed,
        ("GET", "/v1/models"): handlers.list,
        ("GET", "/health"): handlers.health,
    }
    return Application(routes)


class LlamaOpenAI:
    """Handlers over one engine."""

    def __init__(self, model: str, engine: LlamaEngine, slots: Slots, executor: Executor) -> None:
        self._model = model
        self._engine = engine
        self._slots = slots
        self._executor = executor

    async def list(self, exchange: Exchange) -> None:
        await exchange.answer(200, openai_bodies.model_list((self._model,), "llama.cpp"))

    async def health(self, exchange: Exchange) -> None:
        busy = {"in_flight": self._slots.in_flight, "queued": self._slots.queued}
        await exchange.answer(200, {"status": "ok", **busy})

    async def embed(self, exchange: Exchange) -> None:
        await exchange.body()
        raise Refused(501, f"{self._model} generates text; it has no embeddings", "unsupported")

    async def chat(self, exchange: Exchange) -> None:
        await self._generate(exchange, self._engine.chat)

    async def complete(self, exchange: Exchange) -> None:
        await self._generate(exchange, self._engine.complete)

    async def _generate(self, exchange: Exchange, work: Work) -> None:
        request = openai_bodies.parse_object(await exchange.body())
        name = openai_bodies.model_of(request)
        if name != self._model:
            raise unknown_model(name, self._model)
        answer = self._stream if request.get("stream") is True else self._document
        try:
            await exchange.unless_gone(answer(exchange, work, request))
        except RequestInvalid as exc:
            if not exchange.started:
                raise Refused(exc.status, str(exc), exc.code) from exc
            # The status is long sent: an error event is what tells this end from a clean one.
            await exchange.stream(event(Refused(exc.status, str(exc), exc.code).document()))
            await exchange.end()

    async def _stream(self, exchange: Exchange, work: Work, request: dict[str, object]) -> None:
        shown = request.get("return_progress") is True
        async with aclosing(self._pieces(work, {**request, "return_progress": True})) as pieces:
            async for piece in pieces:
                # The first chunk has to be the first token, or time to first byte would say nothing.
                if shown or not is_progress(piece):
                    await exchange.stream(b"data: " + piece.encode() + b"\n\n")
        await exchange.stream(DONE)
        await exchange.end()

    async def _document(self, exchange: Exchange, work: Work, request: dict[str, object]) -> None:
        streamed = {**request, "stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
        async with aclosing(self._pieces(work, streamed)) as pieces:
            chunks = [json.loads(piece) async for piece in pieces if not is_progress(piece)]
        await exchange.answer(200, joined(chunks))

    async def _pieces(self, work: Work, request: dict[str, object]) -> AsyncGenerator[str, None]:
        """Run `work` in a slot and a thread, piece by piece. Closed early, the engine stops at its next piece."""
        lease = await self._slots.acquire()
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        stopped = threading.Event()

        def on_piece(piece: str) -> bool:
            if not stopped.is_set():
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            return stopped.is_set()

        running = loop.run_in_executor(self._executor, work, json.dumps(request), on_piece)
        # The engine's slot is free when the engine says so, which is later than its client's goodbye.
        running.add_done_callback(lambda _: lease.release())
        running.add_done_callback(lambda done: pieces.put_nowait(done.exception()))
        try:
            while isinstance(piece := await pieces.get(), str):
                yield piece
            if piece is not None:
                raise piece
        finally:
            stopped.set()
