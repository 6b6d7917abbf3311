"""One prompt to a site's gateway, as a device would send it: streamed, bounded, with the decision it led to."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from edgemind import bootstrap
from edgemind.domain.limits import Limits
from edgemind.errors import PermanentError, UpstreamFailed
from edgemind.ports.inference import UpstreamResponse

ANSWER_LIMIT_BYTES = 1024 * 1024
_DATA = b"data:"


@dataclass(frozen=True, slots=True)
class Prompt:
    model: str
    text: str
    max_tokens: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """`site`, `reason` and `decision_id` are what the gateway says about where it ran."""

    text: str
    finish_reason: str | None
    site: str | None
    reason: str | None
    decision_id: str | None


class ChatClient(Protocol):
    async def ask(self, gateway_url: str, prompt: Prompt, pieces: Callable[[int], None]) -> ChatAnswer:
        """`pieces` is called with the number of stream pieces so far.

        Raises UpstreamFailed if nothing came, UpstreamCut if it broke off, PermanentError if the gateway refused.
        """


class GatewayChat:
    """`ChatClient` over HTTP/1.1; `api_key` is what devices would send."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = api_key

    async def ask(self, gateway_url: str, prompt: Prompt, pieces: Callable[[int], None]) -> ChatAnswer:
        # A pool a prompt: they are few, and a connection kept for the next one would be closed by then.
        pools = bootstrap.upstream_pools(Limits())
        try:
            head, body = self._request(gateway_url, prompt)
            response = await pools(gateway_url).send(head, body)
            received = await _received(response, pieces)
        finally:
            await pools.close()
        headers = {name: value.decode("latin-1") for name, value in response.headers}
        if response.status != 200:
            raise _refusal(gateway_url, response.status, received)
        text, finish_reason = _joined(received)
        return ChatAnswer(
            text=text,
            finish_reason=finish_reason,
            site=headers.get(b"x-edgemind-site"),
            reason=headers.get(b"x-edgemind-reason"),
            decision_id=headers.get(b"x-request-id"),
        )

    def _request(self, gateway_url: str, prompt: Prompt) -> tuple[bytes, bytes]:
        messages = [{"role": "user", "content": prompt.text}]
        document = {"model": prompt.model, "messages": messages, "max_tokens": prompt.max_tokens, "stream": True}
        body = json.dumps(document).encode()
        lines = [
            "POST /v1/chat/completions HTTP/1.1",
            f"host: {urlsplit(gateway_url).netloc}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            f"x-edgemind-deadline-ms: {prompt.deadline_ms}",
        ]
        if self._api_key:
            lines.append(f"authorization: Bearer {self._api_key}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1"), body


async def _received(response: UpstreamResponse, pieces: Callable[[int], None]) -> bytes:
    body = bytearray()
    try:
        while chunk := await response.more():
            body += chunk
            if len(body) > ANSWER_LIMIT_BYTES:
                raise UpstreamFailed(f"the answer is longer than {ANSWER_LIMIT_BYTES} bytes: ask for fewer tokens")
            pieces(body.count(_DATA))
    finally:
        # What is left of this answer must not meet the connection's next request.
        response.cancel()
    return bytes(body)


def _refusal(gateway_url: str, status: int, body: bytes) -> Exception:
    said = _document(body).get("error")
    message = said.get("message") if isinstance(said, dict) else None
    text = f"the gateway at {gateway_url} answered {status}: {message or body[:200].decode('utf-8', 'replace')}"
    return UpstreamFailed(text) if status in {429, 502, 503, 504} else PermanentError(text)


def _joined(stream: bytes) -> tuple[str, str | None]:
    """The text of an event stream. UpstreamFailed if it is none, or ended with an error."""
    text, finish_reason = "", None
    for event in _events(stream):
        if isinstance(event.get("error"), dict):
            raise UpstreamFailed(f"the answer ended with an error: {event['error'].get('message')}")
        for choice in event.get("choices") or ():
            text += (choice.get("delta") or {}).get("content") or ""
            finish_reason = choice.get("finish_reason") or finish_reason
    return text, finish_reason


def _events(stream: bytes) -> Iterator[dict[str, Any]]:
    lines = [line[len(_DATA) :].strip() for line in stream.splitlines() if line.startswith(_DATA)]
    if not lines or lines[-1] != b"[DONE]":
        raise UpstreamFailed("the answer broke off: its stream has no end")
    for line in lines[:-1]:
        yield _document(line)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
