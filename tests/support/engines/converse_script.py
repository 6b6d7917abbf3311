"""What the Converse server of the tests does with a call: an answer, a refusal, or an accident on the way."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.support.engines.converse_frames import damaged, event, exception

Block = Mapping[str, Any]
TOKENS = {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
LATENCY_MS = 123


class Accident(Enum):
    """After the answer's first blocks: the connection dies, a frame is damaged, or nothing more comes."""

    CUT = "cut"
    DAMAGED = "damaged"
    SILENCE = "silence"
    ENDS_EARLY = "ends early"
    """The body ends cleanly, without the events that end an answer."""


def text(*pieces: str) -> Block:
    return {"text": pieces}


def tool_use(called: str, name: str, *arguments: str) -> Block:
    """`arguments` are the pieces of a JSON text."""
    return {"toolUse": {"toolUseId": called, "name": name, "pieces": arguments}}


@dataclass(frozen=True, slots=True)
class Says:
    """An answer. `gated`: nothing goes out before the test opens the gate; with `accident` it comes to no good end."""

    blocks: Sequence[Block] = (text("Hello", " from", " Bedrock."),)
    stop: str = "end_turn"
    accident: Accident | None = None
    raises: tuple[str, str] | None = None
    """An exception within the stream, by name and message, after the blocks."""
    gated: bool = False
    gated_after: int | None = None
    """So many frames go out before the gate."""
    usage: Mapping[str, int] = field(default_factory=lambda: dict(TOKENS))

    def frames(self) -> Iterator[bytes]:
        yield event("messageStart", {"role": "assistant"})
        for index, block in enumerate(self.blocks):
            yield from _block_frames(index, block)
        if self.accident is Accident.DAMAGED:
            yield damaged(event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": " lost"}}))
        elif self.raises is not None:
            yield exception(*self.raises)
        elif self.accident is None:
            yield event("messageStop", {"stopReason": self.stop})
            yield event("metadata", {"usage": self.usage, "metrics": {"latencyMs": LATENCY_MS}})

    def document(self) -> dict[str, Any]:
        """The same, not streamed."""
        return {
            "output": {"message": {"role": "assistant", "content": [_whole(block) for block in self.blocks]}},
            "stopReason": self.stop,
            "usage": self.usage,
            "metrics": {"latencyMs": LATENCY_MS},
        }


@dataclass(frozen=True, slots=True)
class Refuses:
    """An HTTP error as Bedrock words it."""

    status: int
    code: str
    message: str = "because the test says so"


THROTTLED = Refuses(429, "ThrottlingException", "Too many requests, please wait before trying again.")
INVALID = Refuses(400, "ValidationException", "The model returned the following errors: max_tokens is too large")
DENIED = Refuses(403, "AccessDeniedException", "User: arn:aws:iam::123456789012:role/proxy is not authorized")
UNAVAILABLE = Refuses(503, "ServiceUnavailableException")
MODEL_TIMEOUT = Refuses(408, "ModelTimeoutException")
UNKNOWN_MODEL = Refuses(404, "ResourceNotFoundException", "Could not resolve the foundation model")

Step = Says | Refuses


def _block_frames(index: int, block: Block) -> Iterator[bytes]:
    place = {"contentBlockIndex": index}
    if "toolUse" in block:
        call = block["toolUse"]
        start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
        yield event("contentBlockStart", {**place, "start": start})
        deltas: list[Block] = [{"toolUse": {"input": piece}} for piece in call["pieces"]]
    else:
        deltas = [{"text": piece} for piece in block["text"]]
    for delta in deltas:
        yield event("contentBlockDelta", {**place, "delta": delta})
    yield event("contentBlockStop", place)


def _whole(block: Block) -> dict[str, Any]:
    if "toolUse" in block:
        call = block["toolUse"]
        arguments = json.loads("".join(call["pieces"]))
        return {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"], "input": arguments}}
    return {"text": "".join(block["text"])}
