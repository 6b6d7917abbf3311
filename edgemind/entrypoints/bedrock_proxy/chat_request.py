"""A request of OpenAI's chat API as one of Converse. What Converse cannot do is refused, never dropped. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgemind.entrypoints.bedrock_proxy.chat_messages import conversation_of, speaks_of_tools
from edgemind.entrypoints.model_server.exchange import Refused
from edgemind.entrypoints.model_server.openai_bodies import Document

_NOT_IN_CONVERSE: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "parallel_tool_calls": (True,),
    "response_format": ({"type": "text"},),
    "functions": (),
    "function_call": (),
    "modalities": (["text"],),
    "audio": (),
}
"""Fields that change an answer and that Converse has not; beside null, these values change nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`body` is Converse's. `usage_in_stream` asks for the tokens at the end of a stream."""

    body: dict[str, Any]
    stream: bool
    usage_in_stream: bool


def asked_of(document: Document) -> Asked:
    """Raises Refused (400) with the field that is wrong or that Bedrock cannot honour."""
    for name, harmless in _NOT_IN_CONVERSE.items():
        value = document.get(name)
        if value is not None and value not in harmless:
            raise Refused(
                400, f"{name} is nothing that Bedrock's Converse API can do: leave it out", "unsupported_value", name
            )
    system, turns = conversation_of(document.get("messages"))
    tools = _tool_config(document, speaks_of_tools(turns))
    inference = _inference(document)
    parts = {"system": system, "messages": turns, "inferenceConfig": inference, "toolConfig": tools}
    options = document.get("stream_options")
    if options is not None and not isinstance(options, Mapping):
        raise Refused(400, "stream_options must be an object", "wrong_type", "stream_options")
    return Asked(
        body={name: part for name, part in parts.items() if part},
        stream=_flag(document, "stream"),
        usage_in_stream=options is not None and _flag(options, "include_usage"),
    )


def _inference(document: Document) -> dict[str, Any]:
    limit_name = "max_completion_tokens" if document.get("max_completion_tokens") is not None else "max_tokens"
    stop = document.get("stop")
    stops = [stop] if isinstance(stop, str) else stop
    if stops is not None and not (isinstance(stops, list) and all(isinstance(text, str) and text for text in stops)):
        raise Refused(400, "stop must be a text or a list of texts", "wrong_type", "stop")
    found = {
        "maxTokens": _whole_number(document, limit_name),
        "temperature": _ratio(document, "temperature"),
        "topP": _ratio(document, "top_p"),
        "stopSequences": stops or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _whole_number(document: Document, name: str) -> int | None:
    value = document.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise Refused(400, f"{name} must be a whole number above 0", "wrong_type", name)
    return value


def _ratio(document: Document, name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Refused(
            400, f"{name} must be a number from 0 to 1, which is what Bedrock's models take", "wrong_type", name
        )
    return value


def _flag(document: Document, name: str) -> bool:
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(400, f"{name} must be true or false", "wrong_type", name)
    return bool(value)


def _tool_config(document: Document, used_before: bool) -> dict[str, Any]:
    tools, choice = document.get("tools"), document.get("tool_choice")
    if tools is not None and not isinstance(tools, list):
        raise Refused(400, "tools must be a list", "wrong_type", "tools")
    if not tools:
        if used_before:
            raise Refused(
                400, "messages call tools: Bedrock wants tools to be declared again", "missing_field", "tools"
            )
        return {}
    if choice == "none":
        if used_before:
            raise Refused(
                400, "Bedrock has no tool_choice none once messages call tools", "unsupported_value", "tool_choice"
            )
        return {}
    specs = [_tool_spec(tool, f"tools[{index}]") for index, tool in enumerate(tools)]
    chosen = _tool_choice(choice)
    return {"tools": specs, **({"toolChoice": chosen} if chosen else {})}


def _tool_spec(tool: object, place: str) -> dict[str, Any]:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise Refused(400, f"{place} must be a function with a name", "wrong_type", place)
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    spec: dict[str, Any] = {"name": function["name"], "inputSchema": {"json": schema}}
    if description := function.get("description"):
        spec["description"] = description
    return {"toolSpec": spec}


def _tool_choice(choice: object) -> dict[str, Any]:
    if choice in (None, "auto"):
        return {"auto": {}} if choice else {}
    if choice == "required":
        return {"any": {}}
    function = choice.get("function") if isinstance(choice, Mapping) else None
    if isinstance(function, Mapping) and isinstance(function.get("name"), str):
        return {"tool": {"name": function["name"]}}
    raise Refused(400, "tool_choice must be auto, required, none or a function", "wrong_type", "tool_choice")
