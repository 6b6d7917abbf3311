"""What a device's request looks like on the wire: path, headers and a body with made-up content of a realistic size."""

import json
from dataclasses import dataclass
from random import Random

from edgemind.domain.device_mixes import Activity, Call

FRAME_BYTES = 12 * 1024
"""A small compressed camera frame."""
SENSOR_VALUES = 32

QUESTIONS = (
    "What is the capital of France?",
    "Name a fruit.",
    "What colour is the sky?",
    "How many days has a week?",
    "Say hello in Spanish.",
    "What do bees make?",
    "Name a river in Europe.",
    "What is two plus three?",
)
TEXTS = (
    "a red bicycle leaning on a wall",
    "sunset over the harbour",
    "two people in front of a museum",
    "the tram stop at the central station",
    "snow on the old bridge",
    "a menu in a language I cannot read",
)
_JSON = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class Payload:
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def payload_of(activity: Activity, rng: Random) -> Payload:
    """One request's content; equal randomness gives equal bytes."""
    match activity.call:
        case Call.CHAT | Call.CHAT_STREAM:
            return _chat(activity, rng)
        case Call.EMBEDDING:
            document = {"model": activity.model, "input": rng.choice(TEXTS)}
            return Payload("/v1/embeddings", (_JSON,), json.dumps(document).encode())
        case Call.FRAME:
            return _frame(activity, rng)
        case Call.SENSORS:
            return _sensors(activity, rng)


def demand_headers(activity: Activity, session: str | None) -> tuple[tuple[str, str], ...]:
    """What the gateway has to know of a request beside its body."""
    headers = [
        ("x-edgemind-deadline-ms", f"{activity.deadline_ms:g}"),
        ("x-edgemind-device-class", activity.device_class.value),
        ("x-edgemind-priority", activity.priority.name.lower()),
    ]
    if activity.residency:
        headers.append(("x-edgemind-residency", ", ".join(sorted(activity.residency))))
    if session is not None:
        headers.append(("x-edgemind-session", session))
    return tuple(headers)


def _chat(activity: Activity, rng: Random) -> Payload:
    document: dict[str, object] = {
        "model": activity.model,
        "messages": [{"role": "user", "content": rng.choice(QUESTIONS)}],
        "max_tokens": activity.max_tokens,
        # The real model then says the same on every run.
        "temperature": 0,
    }
    if activity.call is Call.CHAT_STREAM:
        document["stream"] = True
    return Payload("/v1/chat/completions", (_JSON,), json.dumps(document).encode())


def _frame(activity: Activity, rng: Random) -> Payload:
    """The protocol's binary extension: a JSON head, then the raw bytes."""
    tensor = {"name": "frame", "datatype": "UINT8", "shape": [FRAME_BYTES]}
    binary = {"parameters": {"binary_data_size": FRAME_BYTES}}
    head = json.dumps({"inputs": [{**tensor, **binary}]}).encode()
    headers = (("content-type", "application/octet-stream"), ("inference-header-content-length", str(len(head))))
    return Payload(_infer_path(activity), headers, head + rng.randbytes(FRAME_BYTES))


def _sensors(activity: Activity, rng: Random) -> Payload:
    values = [round(rng.gauss(20.0, 2.0), 2) for _ in range(SENSOR_VALUES)]
    tensor = {"name": "readings", "datatype": "FP32", "shape": [1, SENSOR_VALUES], "data": values}
    return Payload(_infer_path(activity), (_JSON,), json.dumps({"inputs": [tensor]}).encode())


def _infer_path(activity: Activity) -> str:
    return f"/v2/models/{activity.model}/infer"
