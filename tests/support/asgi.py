"""One request to an ASGI application, without a socket."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class AsgiAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        """The error of an OpenAI-shaped refusal; a test fails if the answer is anything else."""
        document = self.json()
        assert set(document) == {"error"}
        assert set(document["error"]) == {"message", "type", "code", "param"}
        return dict(document["error"])


def ask(
    app: Any, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"", client: str = "127.0.0.1"
) -> AsgiAnswer:
    """Send one request from the address `client`."""
    parts = urlsplit(url)
    given = {"host": "127.0.0.1:8200", **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
        "root_path": "", "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": (client, 50_000), "server": ("127.0.0.1", 8200), "state": {},
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return AsgiAnswer(start["status"], answered, b"".join(part.get("body", b"") for part in rest))
