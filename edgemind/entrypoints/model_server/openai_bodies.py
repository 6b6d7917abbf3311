"""OpenAI's request and answer bodies, as far as a model server needs them. Pure: ids and times come in."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgemind.entrypoints.model_server.exchange import Refused

Document = Mapping[str, object]
MAX_INPUTS = 2048
MAX_DIMENSIONS = 4096


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one simulated answer from another. `created_s` is wall time; `chat` chooses the completion API."""

    answer_id: str
    model: str
    created_s: int
    chat: bool

    def document(self, suffix: str = "") -> dict[str, object]:
        kind = f"chat.completion{suffix}" if self.chat else "text_completion"
        return {
            "id": self.answer_id,
            "object": kind,
            "created": self.created_s,
            "model": self.model,
            "system_fingerprint": "simulated",
        }


@dataclass(frozen=True, slots=True)
class Generation:
    """What a completion request asks for."""

    prompt: str
    max_tokens: int
    stream: bool
    usage_in_stream: bool


def parse_object(body: bytes) -> dict[str, object]:
    """A body that has to be a JSON object. Raises Refused (400)."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Refused(400, f"the body is not JSON: {exc}", "invalid_json") from exc
    if not isinstance(document, dict):
        raise Refused(400, "the body must be a JSON object", "invalid_json")
    return document


def model_of(document: Document) -> str:
    """The model a request names. Raises Refused (400)."""
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise Refused(400, "name the model: a text in the field 'model'", "missing_field", "model")
    return model


def generation_of(document: Document, chat: bool) -> Generation:
    """Raises Refused (400) with the field that is missing or of the wrong type."""
    options = document.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise Refused(400, "stream_options must be an object", "wrong_type", "stream_options")
    limit_name = "max_completion_tokens" if "max_completion_tokens" in document else "max_tokens"
    limit = document.get(limit_name)
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise Refused(400, f"{limit_name} must be a whole number above 0", "wrong_type", limit_name)
    if document.get("n") not in (None, 1):
        raise Refused(400, "this server gives one choice an answer: leave n out", "unsupported_value", "n")
    return Generation(
        prompt=_chat_prompt(document) if chat else _prompt(document),
        max_tokens=limit or MAX_INPUTS,
        stream=_flag(document, "stream"),
        usage_in_stream=options is not None and _flag(options, "include_usage"),
    )


def texts_of(document: Document) -> list[str]:
    """The inputs of an embeddings request; token arrays count as text. Raises Refused (400)."""
    given = document.get("input")
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list) and given and all(_is_number(token) for token in given):
        given = [given]
    if not isinstance(given, list) or not given or len(given) > MAX_INPUTS:
        raise Refused(400, f"input must be a text or a list of 1 to {MAX_INPUTS} texts", "wrong_type", "input")
    if not all(isinstance(item, str | list) and item for item in given):
        raise Refused(400, "input must hold texts or token lists, none of them empty", "wrong_type", "input")
    return [item if isinstance(item, str) else json.dumps(item) for item in given]


def dimensions_of(document: Document, default: int) -> int:
    asked = document.get("dimensions")
    if asked is None:
        return default
    if not isinstance(asked, int) or isinstance(asked, bool) or not 1 <= asked <= MAX_DIMENSIONS:
        raise Refused(400, f"dimensions must be a whole number from 1 to {MAX_DIMENSIONS}", "wrong_type", "dimensions")
    return asked


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}


def completion(stamp: Stamp, text: str, finish: str, used: Document) -> dict[str, object]:
    content: dict[str, object] = {"message": {"role": "assistant", "content": text}} if stamp.chat else {"text": text}
    choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish}
    return {**stamp.document(), "choices": [choice], "usage": used}


def completion_chunk(stamp: Stamp, text: str | None, first: bool, finish: str | None) -> dict[str, object]:
    """One event of a stream; `text` is None in the event that carries the finish reason."""
    if stamp.chat:
        delta = ({"role": "assistant"} if first else {}) | ({} if text is None else {"content": text})
        content: dict[str, object] = {"delta": delta}
    else:
        content = {"text": text or ""}
    choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish}
    return {**stamp.document(".chunk"), "choices": [choice]}


def embeddings(model: str, vectors: Sequence[Sequence[float]], tokens: int, as_base64: bool) -> dict[str, object]:
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if as_base64 else vector}
        for index, vector in enumerate(vectors)
    ]
    used = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": model, "data": data, "usage": used, "simulated": True}


def model_list(models: Sequence[str], owner: str) -> dict[str, object]:
    entries = [{"id": model, "object": "model", "created": 0, "owned_by": owner} for model in models]
    return {"object": "list", "data": entries}


def _packed(vector: Sequence[float]) -> str:
    """Little-endian 32-bit floats in base64, which OpenAI's own client asks for by default."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _chat_prompt(document: Document) -> str:
    """The last message's text, which is what a short answer refers to."""
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(entry, dict) for entry in messages):
        raise Refused(400, "messages must be a list of at least one message", "wrong_type", "messages")
    content = messages[-1].get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return " ".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise Refused(400, "a message's content must be a text or a list of parts", "wrong_type", "messages")
    return content or ""


def _prompt(document: Document) -> str:
    prompt = document.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise Refused(400, "prompt must be a text (or a list of one)", "wrong_type", "prompt")
    return prompt


def _flag(document: Document, name: str) -> bool:
    value = document.get(name, False)
    if value is not None and not isinstance(value, bool):
        raise Refused(400, f"{name} must be true or false", "wrong_type", name)
    return bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
