"""llama.cpp's streamed chunks put together into the one document that an unstreamed request gets. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Chunk = Mapping[str, Any]
_APPENDED = ("content", "reasoning_content", "refusal")


def is_progress(piece: str) -> bool:
    """Whether a chunk tells how far the prompt is evaluated. Within generated text the quotes would be escaped."""
    return '"prompt_progress":' in piece


def joined(chunks: Sequence[Chunk]) -> dict[str, object]:
    """One chat completion or text completion, usage and timings included, from all chunks of its stream."""
    document: dict[str, Any] = {}
    by_index: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        # Later chunks add usage and timings; what they repeat is equal.
        document.update(chunk)
        for choice in chunk.get("choices") or ():
            by_index.setdefault(choice.get("index", 0), []).append(choice)
    document["choices"] = [_choice(index, parts) for index, parts in sorted(by_index.items())]
    if any("message" in choice for choice in document["choices"]):
        document["object"] = "chat.completion"
    return document


def _choice(index: int, parts: Sequence[Chunk]) -> dict[str, object]:
    finish = next((part["finish_reason"] for part in reversed(parts) if part.get("finish_reason")), None)
    deltas = [part["delta"] for part in parts if "delta" in part]
    content: dict[str, object] = {"message": _message(deltas)} if deltas else {"text": _text(parts, "text")}
    return {"index": index, **content, "logprobs": _logprobs(parts), "finish_reason": finish}


def _message(deltas: Sequence[Chunk]) -> dict[str, object]:
    texts = {name: _text(deltas, name) for name in _APPENDED}
    message: dict[str, object] = {"role": "assistant", "content": texts.pop("content")}
    message |= {name: text for name, text in texts.items() if text}
    calls = _tool_calls(call for delta in deltas for call in delta.get("tool_calls") or ())
    # OpenAI clients look at the content of a message that calls tools only if there is some.
    return {**message, "content": message["content"] or None, "tool_calls": calls} if calls else message


def _tool_calls(parts: Iterable[Chunk]) -> list[dict[str, object]]:
    """The name of a call comes once, its arguments letter by letter."""
    calls: dict[int, dict[str, Any]] = {}
    for part in parts:
        call = calls.setdefault(part.get("index", 0), {"id": "", "type": "function", "function": {}})
        function = part.get("function") or {}
        call["id"] = call["id"] or part.get("id") or ""
        call["function"] = {
            "name": call["function"].get("name") or function.get("name") or "",
            "arguments": call["function"].get("arguments", "") + (function.get("arguments") or ""),
        }
    return [calls[index] for index in sorted(calls)]


def _logprobs(parts: Sequence[Chunk]) -> dict[str, object] | None:
    """Chat and newer completions list them under `content`."""
    tokens = [token for part in parts for token in (part.get("logprobs") or {}).get("content") or ()]
    return {"content": tokens} if tokens else None


def _text(parts: Iterable[Chunk], name: str) -> str:
    return "".join(part.get(name) or "" for part in parts)
