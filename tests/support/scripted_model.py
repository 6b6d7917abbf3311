"""An OpenAI-compatible server that answers by a script, streamed, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.serving import served

CUT, HANG, REFUSE = "\0cut", "\0hang", "\0refuse"
"""Instead of an answer: break off in mid-stream; say nothing for a minute; 503."""
Script = Callable[[dict[str, Any]], str]
EXPLANATION = "Site-a had too many requests, so site-c takes all of its overflow."


def proposing(setting: str, percent: float, reason: str = "it helps") -> Script:
    """Explains, and proposes that when it is asked for JSON."""
    wanted = json.dumps({"setting": setting, "percent": percent, "reason": reason})
    return lambda asked: wanted if "response_format" in asked else EXPLANATION


@dataclass
class ScriptedModel:
    """`asked` are the bodies of all requests, `keys` what they brought."""

    script: Script
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        self.keys.add(request.headers["authorization"])
        text = self.script(body)
        if text == REFUSE:
            return JSONResponse({"error": {"message": "no capacity", "type": "overloaded"}}, 503)
        return StreamingResponse(self._events(text), media_type="text/event-stream")

    async def _events(self, text: str) -> AsyncIterator[bytes]:
        if text == HANG:
            await asyncio.sleep(60)
        pieces = ["half an ans"] if text == CUT else [text[at : at + 20] for at in range(0, len(text), 20)]
        for piece in pieces:
            yield _event({"delta": {"role": "assistant", "content": piece}, "finish_reason": None})
        if text == CUT:
            raise ConnectionResetError("the script breaks off")
        yield _event({"delta": {}, "finish_reason": "stop"})
        yield b"data: [DONE]\n\n"

    def prompts(self) -> str:
        return "\n".join(message_text(one) for body in self.asked for one in body["messages"])


@contextmanager
def scripted_model(script: Script) -> Iterator[ScriptedModel]:
    model = ScriptedModel(script)
    app = Starlette(routes=[Route("/v1/chat/completions", model.chat, methods=["POST"])])
    with served(app) as address:
        model.url = f"{address}/v1"
        yield model


def message_text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _event(choice: dict[str, Any]) -> bytes:
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    return b"data: " + json.dumps({**chunk, "choices": [{"index": 0, **choice}]}).encode() + b"\n\n"
