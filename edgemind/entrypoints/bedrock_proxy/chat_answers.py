"""Events of Converse as chunks of OpenAI's stream. Pure: the answer's id and time come in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgemind.entrypoints.model_server.openai_bodies import usage
from edgemind.ports.converse import CallFailed, CallFault, ConverseEvent

Chunk = dict[str, Any]
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_MALFORMED = frozenset({"malformed_model_output", "malformed_tool_use"})


@dataclass(frozen=True, slots=True)
class Label:
    """What every chunk of one answer repeats."""

    answer_id: str
    model: str
    created_s: int

    def chunk(self, choices: list[Chunk]) -> Chunk:
        return {
            "id": self.answer_id,
            "object": "chat.completion.chunk",
            "created": self.created_s,
            "model": self.model,
            "choices": choices,
        }


class ChatAnswer:
    """One answer as it comes. `finished` tells whether it came to its end, `bedrock_ms` what Bedrock says it took."""

    def __init__(self, label: Label) -> None:
        self._label = label
        self._calls: dict[int, int] = {}
        self._without_arguments: set[int] = set()
        """Blocks of calls that have begun, and had no input so far."""
        self._begun = False
        self.finished = False
        self.usage: Chunk | None = None
        self.bedrock_ms: float | None = None

    def chunk(self, event: ConverseEvent) -> Chunk | None:
        """The chunk that an event is worth, if it is. Raises CallFailed for an answer that is none."""
        take = _TAKE.get(event.kind)
        return take(self, event.body) if take else None

    def usage_chunk(self) -> Chunk:
        return {**self._label.chunk([]), "usage": self.usage}

    def _start(self, body: Mapping[str, Any]) -> Chunk | None:
        call = (body.get("start") or {}).get("toolUse")
        if call is None:
            return None
        block = body.get("contentBlockIndex", 0)
        index = self._calls.setdefault(block, len(self._calls))
        self._without_arguments.add(block)
        function = {"name": call.get("name"), "arguments": ""}
        return self._delta(
            {"tool_calls": [{"index": index, "id": call.get("toolUseId"), "type": "function", "function": function}]}
        )

    def _more(self, body: Mapping[str, Any]) -> Chunk | None:
        delta = body.get("delta") or {}
        if text := delta.get("text"):
            return self._delta({"content": text})
        if thought := (delta.get("reasoningContent") or {}).get("text"):
            return self._delta({"reasoning_content": thought})
        arguments = (delta.get("toolUse") or {}).get("input")
        return self._arguments(body.get("contentBlockIndex", 0), arguments) if arguments else None

    def _end(self, body: Mapping[str, Any]) -> Chunk | None:
        """Of a call of a tool that takes nothing Bedrock may stream no input, and OpenAI's clients read it as JSON."""
        block = body.get("contentBlockIndex", 0)
        return self._arguments(block, "{}") if block in self._without_arguments else None

    def _arguments(self, block: int, text: str) -> Chunk | None:
        index = self._calls.get(block)
        if index is None:
            return None
        self._without_arguments.discard(block)
        return self._delta({"tool_calls": [{"index": index, "function": {"arguments": text}}]})

    def _stop(self, body: Mapping[str, Any]) -> Chunk:
        reason = str(body.get("stopReason"))
        if reason in _MALFORMED:
            raise CallFailed(CallFault.FAILED, f"the model's answer cannot be used ({reason}); ask again")
        self.finished = True
        return self._delta({}, _FINISH.get(reason, "stop"))

    def _metadata(self, body: Mapping[str, Any]) -> None:
        self.usage = _usage(body.get("usage") or {})
        took_ms = (body.get("metrics") or {}).get("latencyMs")
        self.bedrock_ms = float(took_ms) if isinstance(took_ms, int | float) else None

    def _delta(self, delta: Chunk, finish: str | None = None) -> Chunk:
        role = {} if self._begun else {"role": "assistant"}
        self._begun = True
        return self._label.chunk([{"index": 0, "delta": role | delta, "logprobs": None, "finish_reason": finish}])


def _usage(told: Mapping[str, Any]) -> Chunk:
    """OpenAI counts what came out of a cache among the prompt's tokens, Bedrock beside them."""
    cached = int(told.get("cacheReadInputTokens", 0))
    prompt = int(told.get("inputTokens", 0)) + cached + int(told.get("cacheWriteInputTokens", 0))
    return {
        **usage(prompt, int(told.get("outputTokens", 0))),
        **({"prompt_tokens_details": {"cached_tokens": cached}} if cached else {}),
    }


_TAKE = {
    "contentBlockStart": ChatAnswer._start,
    "contentBlockDelta": ChatAnswer._more,
    "contentBlockStop": ChatAnswer._end,
    "messageStop": ChatAnswer._stop,
    "metadata": ChatAnswer._metadata,
}
