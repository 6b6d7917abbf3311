"""A Strands model provider that is code: it reads the conversation, and says which tools to call next.

It stands where a language model would, so that a vote in a round runs through the same event loop, tools and hooks as
an agent that thinks in words, within milliseconds and with the same answer every time.
"""

import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from strands.models.model import Model
from strands.types.content import Message, Messages, SystemContentBlock
from strands.types.streaming import StreamEvent
from strands.types.tools import ToolChoice, ToolSpec

from edgemind.errors import PermanentError


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A tool to call, by the name that the agent knows it under. An answer in a fixed shape is one too: its class."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What came of a call: `data` is its structured content, `failed` the cause if it has none to give."""

    tool: str
    data: Mapping[str, Any] | None
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model was asked, and what the tools answered since, in the order of the calls."""

    prompt: str
    answers: tuple[ToolAnswer, ...] = ()


Policy = Callable[[Conversation], Sequence[ToolRequest]]
"""What to call next. It has no state: the conversation is all it knows, as with a language model."""


class PolicyModel(Model):
    """Each turn of the agent is one call of the policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def update_config(self, **model_config: Any) -> None:
        """There is nothing to configure: PermanentError if somebody tries."""
        if model_config:
            raise PermanentError(f"a policy has no settings; it was given {', '.join(sorted(model_config))}")

    def get_config(self) -> dict[str, Any]:
        return {}

    def structured_output(
        self, output_model: type[Any], prompt: Messages, system_prompt: str | None = None, **kwargs: Any
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Strands' older way to a fixed shape: it has no tools, and a policy answers from tools."""
        return _refuse(output_model)

    async def stream(
        self,
        messages: Messages,
        tool_specs: list[ToolSpec] | None = None,
        system_prompt: str | None = None,
        *,
        tool_choice: ToolChoice | None = None,
        system_prompt_content: list[SystemContentBlock] | None = None,
        invocation_state: dict[str, Any] | None = None,
        cancel_signal: threading.Event | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[StreamEvent]:
        requests = self._policy(read_conversation(messages))
        if not requests:
            raise PermanentError("the policy neither called a tool nor answered")
        yield {"messageStart": {"role": "assistant"}}
        for number, request in enumerate(requests):
            identity = f"{len(messages)}-{number}"
            yield {"contentBlockStart": {"start": {"toolUse": {"name": request.tool, "toolUseId": identity}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(dict(request.arguments))}}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use"}}


async def _refuse(output_model: type[Any]) -> AsyncGenerator[dict[str, Any], None]:
    if issubclass(output_model, BaseModel):
        raise PermanentError(f"ask the agent for a {output_model.__name__} with structured_output_model")
    yield {}  # what makes this the generator that Strands wants


def read_conversation(messages: Messages) -> Conversation:
    """Of Strands' messages, what a policy works with."""
    prompt = next((text for message in messages for text in _texts(message)), "")
    names = {use["toolUseId"]: use["name"] for use in _blocks(messages, "toolUse")}
    answers = [_answer(names.get(result["toolUseId"], ""), result) for result in _blocks(messages, "toolResult")]
    return Conversation(prompt, tuple(answers))


def _answer(tool: str, result: Mapping[str, Any]) -> ToolAnswer:
    if result.get("status") != "success":
        return ToolAnswer(tool, None, result_text(result) or "it failed and did not say why")
    data = result.get("structuredContent")
    if not isinstance(data, Mapping):
        return ToolAnswer(tool, None, "its result is text only, no structured content")
    return ToolAnswer(tool, data)


def result_text(result: Mapping[str, Any]) -> str:
    return " ".join(block["text"] for block in result.get("content", ()) if "text" in block)


def _texts(message: Message) -> list[str]:
    return [block["text"] for block in message["content"] if "text" in block]


def _blocks(messages: Messages, kind: str) -> list[Mapping[str, Any]]:
    blocks: list[Mapping[str, Any]] = []
    for message in messages:
        content: Sequence[Any] = message["content"]
        blocks += [block[kind] for block in content if kind in block]
    return blocks
