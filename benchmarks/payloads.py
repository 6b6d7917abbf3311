"""What is asked and what counts as a right answer: one chat completion of ordinary size, plain and streamed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

MODEL = "bench-model"
CHUNKS = 20
"""Writes of one streamed answer; the last one also carries the end marker, as model servers send it."""

_SYSTEM = (
    "You are the assistant of a maintenance crew on a factory floor. Answer in at most three sentences, name the part "
    "number if one was given, and say plainly when the readings do not support a conclusion. "
)
_USER = (
    "Spindle 7 on line B reports 62 degrees at the front bearing and 58 at the rear one, up from 49 and 48 a week ago. "
    "Vibration at 1x is 2.1 mm/s and at the ball-pass frequency 0.4 mm/s. The coolant was changed on Monday. Should "
    "the crew stop the line before the end of the shift, or is it enough to look again tomorrow morning? "
)
_ANSWER = (
    "Keep the line running: both bearings warmed together after the coolant change and the ball-pass line is low. "
    "Look again tomorrow."
)
_COMPLETION: dict[str, object] = {
    "id": "chatcmpl-9f1c2b7e5d3a4c60",
    "created": 1760000000,
    "model": MODEL,
}


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def request_body(stream: bool) -> bytes:
    """The JSON an OpenAI client would send, about 1.1 KB."""
    messages = [{"role": "system", "content": _SYSTEM * 3}, {"role": "user", "content": _USER}]
    return _compact(
        {"model": MODEL, "messages": messages, "max_tokens": 96, "temperature": 0.2, "stream": stream},
    )


def _event(delta: Mapping[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + _compact({**_COMPLETION, "object": "chat.completion.chunk", "choices": [choice]}) + b"\n\n"


def stream_events() -> tuple[bytes, ...]:
    """The answer as `CHUNKS` server-sent events, one a write."""
    words = _ANSWER.split(" ")
    texts = [word + " " for word in words[: CHUNKS - 2]] + [" ".join(words[CHUNKS - 2 :])]
    events = [_event({"content": text}, None) for text in texts]
    return (*events, _event({}, "stop") + b"data: [DONE]\n\n")


JSON_REQUEST = request_body(stream=False)
STREAM_REQUEST = request_body(stream=True)
JSON_ANSWER = _compact(
    {
        **_COMPLETION,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": _ANSWER}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 212, "completion_tokens": 27, "total_tokens": 239},
    }
)
STREAM_EVENTS = stream_events()
_STREAM_ANSWER = b"".join(STREAM_EVENTS)


def wants_stream(body: bytes) -> bool | None:
    """Whether a request as it arrived upstream asks for a stream; None if it is not the request that was sent."""
    if body == JSON_REQUEST:
        return False
    if body == STREAM_REQUEST:
        return True
    try:
        received = json.loads(body)
    except ValueError:
        return None
    # A peer that re-serializes is free to add fields, not to change what the model would see.
    if not isinstance(received, dict) or received.get("messages") != json.loads(JSON_REQUEST)["messages"]:
        return None
    return received.get("stream") is True


def is_right_answer(body: bytes) -> bool:
    """Byte for byte, or for peers that re-serialize: the same text."""
    if body == JSON_ANSWER:
        return True
    try:
        return bool(json.loads(body)["choices"][0]["message"]["content"] == _ANSWER)
    except (ValueError, LookupError, TypeError):
        return False


def is_right_stream(body: bytes) -> bool:
    """Byte for byte, or for peers that re-serialize: the same text in events, then the end marker."""
    if body == _STREAM_ANSWER:
        return True
    events = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    if not events or events[-1].strip() != b"[DONE]":
        return False
    try:
        deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
        return "".join(delta.get("content") or "" for delta in deltas) == _ANSWER
    except (ValueError, LookupError, TypeError, AttributeError):
        return False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One serialized HTTP request and the test its answer's body has to pass."""

    request: bytes
    is_right: Callable[[bytes], bool]


def _exchange(body: bytes, is_right: Callable[[bytes], bool], host: str, key: str) -> Exchange:
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: OpenAI/Python 3.54.0\r\n"
        "Accept: application/json\r\n"
        "Accept-Encoding: identity\r\n"
        "Content-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\n"
        "X-Stainless-Lang: python\r\n"
        "X-Stainless-Async: false\r\n"
        "X-Stainless-Retry-Count: 0\r\n"
        "X-EdgeMind-Deadline-Ms: 30000\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return Exchange(head.encode() + body, is_right)


json_exchange = partial(_exchange, JSON_REQUEST, is_right_answer)
"""`json_exchange(host, key)`: the plain request."""
stream_exchange = partial(_exchange, STREAM_REQUEST, is_right_stream)
"""`stream_exchange(host, key)`: the streamed one."""
