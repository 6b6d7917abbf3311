"""The inference APIs a gateway speaks, as data: which path is which API, and what a valid body of it looks like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from edgemind.entrypoints.gateway.refusals import Refusal, too_many_values

Check = Callable[[dict[str, Any]], tuple[str, str] | None]
"""A body -> (field, what is wrong with it), or None."""
# As tuples: a union type would be built anew at each check.
TEXTS = (str, list)
OPTIONAL_BOOL = (bool, type(None))


@dataclass(frozen=True, slots=True)
class Api:
    """One inference operation. `model_in_path` is true for the Open Inference Protocol."""

    name: str
    check: Check
    model_in_path: bool = False


def _chat(body: dict[str, Any]) -> tuple[str, str] | None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages", "must be a non-empty array of messages"
    for position, message in enumerate(messages):
        # orjson makes no subclasses, and long conversations pass here.
        if type(message) is not dict or type(message.get("role")) is not str:
            return f"messages[{position}]", "must be an object with a 'role'"
    return None


def _completion(body: dict[str, Any]) -> tuple[str, str] | None:
    if not isinstance(body.get("prompt"), TEXTS):
        return "prompt", "must be a string or an array"
    return None


def _embedding(body: dict[str, Any]) -> tuple[str, str] | None:
    if not isinstance(body.get("input"), TEXTS):
        return "input", "must be a string or an array"
    return None


def _infer(body: dict[str, Any]) -> tuple[str, str] | None:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        return "inputs", "must be a non-empty array of tensors"
    for position, tensor in enumerate(inputs):
        if not isinstance(tensor, dict) or not {"name", "shape", "datatype"} <= tensor.keys():
            return f"inputs[{position}]", "must be an object with 'name', 'shape' and 'datatype'"
    return None


OPENAI_APIS: Mapping[str, Api] = {
    "/v1/chat/completions": Api("chat.completions", _chat),
    "/v1/completions": Api("completions", _completion),
    "/v1/embeddings": Api("embeddings", _embedding),
}
INFER = Api("infer", _infer, model_in_path=True)


def invalid(param: str | None, message: str) -> Refusal:
    return Refusal(400, "invalid_request_error", "invalid_value", message, param)


def read_model(
    api: Api, body: bytes, model_in_path: str | None, json_length: int | None, max_values: int = 500_000
) -> str:
    """Validate a body once and return the model it is for; the bytes themselves are forwarded as they are.

    `json_length` is the length of the JSON part of an Open Inference body that carries binary tensors behind it.
    Raises Refusal: 400 naming the field, 413 for more than `max_values` values.
    """
    document = body if json_length is None else body[:json_length]
    # Parsing stops the whole worker: a few hundred thousand values take it 0.1 s, those that fit 10 MiB half a second.
    if len(document) > max_values and _values_at_most(document) > max_values:
        raise too_many_values(max_values)
    try:
        parsed = orjson.loads(document)
    except orjson.JSONDecodeError as exc:
        raise invalid(None, f"The body is not valid JSON: {exc}.") from exc
    if not isinstance(parsed, dict):
        raise invalid(None, "The body must be a JSON object.")
    if model_in_path is None:
        model = parsed.get("model")
        if not isinstance(model, str) or not model:
            raise invalid("model", "'model' must be a non-empty string naming the model to use.")
        if not isinstance(parsed.get("stream", False), OPTIONAL_BOOL):
            raise invalid("stream", "'stream' must be true or false.")
    else:
        model = model_in_path
    wrong = api.check(parsed)
    if wrong is not None:
        field, what = wrong
        raise invalid(field, f"'{field}' {what}.")
    return model


def _values_at_most(document: bytes) -> int:
    """An upper bound on the values in a JSON text: what its strings contain is counted as well."""
    return sum(map(document.count, (b",", b"[", b"{")))


def json_length(headers: Mapping[bytes, bytes]) -> int | None:
    """Length of the JSON part of an Open Inference body, if binary tensors follow it. Raises Refusal (400)."""
    raw = headers.get(b"inference-header-content-length")
    if raw is None:
        return None
    if not raw.isdigit() or len(raw) > 12:
        name = "inference-header-content-length"
        raise invalid(name, f"The header '{name}' must be a number of bytes.")
    return int(raw)
