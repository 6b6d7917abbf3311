"""Is an answer one that a device could use? Nothing counts as answered because of its status alone."""

import json
from collections.abc import Mapping
from typing import Any

from edgemind.domain.device_mixes import Activity, Call

_DATA = b"data:"
_DONE = b"[DONE]"


def complaint(activity: Activity, body: bytes) -> str | None:
    """What is wrong with the body of a 200 answer, or None. Text has to be there, and from the model asked for."""
    try:
        if activity.call is Call.CHAT_STREAM:
            return _stream_complaint(activity.model, body)
        return _document_complaint(activity, json.loads(body))
    except ValueError:
        return "the answer is not JSON"
    except (AttributeError, TypeError):
        return "the answer does not have the shape of its API"


def _document_complaint(activity: Activity, document: dict[str, Any]) -> str | None:
    if activity.call in (Call.FRAME, Call.SENSORS):
        wrong, model = not document.get("outputs"), document.get("model_name")
    else:
        wrong, model = not _content(activity.call, document), document.get("model")
    if model != activity.model:
        return f"{model!r} answered instead of {activity.model!r}"
    return "the answer is empty" if wrong else None


def _stream_complaint(model: str, body: bytes) -> str | None:
    events = [line[len(_DATA) :].strip() for line in body.splitlines() if line.startswith(_DATA)]
    if not events or events[-1] != _DONE:
        return "the stream ended early"
    text = ""
    for event in events[:-1]:
        chunk = json.loads(event)
        if "error" in chunk:
            return f"the stream ended with an error: {chunk['error'].get('message')}"
        if chunk.get("model") != model:
            return f"{chunk.get('model')!r} answered instead of {model!r}"
        text += "".join(choice.get("delta", {}).get("content") or "" for choice in chunk.get("choices", ()))
    return None if text.strip() else "the answer is empty"


def _content(call: Call, document: Mapping[str, Any]) -> object:
    """What the device asked for, falsy if it is not there."""
    if call is Call.EMBEDDING:
        first: Mapping[str, Any] = next(iter(document.get("data") or ()), {})
        return first.get("embedding")
    choice: Mapping[str, Any] = next(iter(document.get("choices") or ()), {})
    return ((choice.get("message") or {}).get("content") or "").strip()
