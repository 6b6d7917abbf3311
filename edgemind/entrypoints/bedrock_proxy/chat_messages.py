"""OpenAI's messages as Converse's: who said what, tool calls and their results, images. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edgemind.entrypoints.model_server.exchange import Refused

Block = dict[str, Any]
_DATA_URL = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=]+)")
_SYSTEM = frozenset({"system", "developer"})


def conversation_of(messages: object) -> tuple[list[Block], list[Block]]:
    """(system blocks, turns). Turns of one side in a row become one: Converse wants them to alternate.

    Raises Refused (400) with the place of what cannot be said in Converse.
    """
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "messages must be a list of at least one message", "wrong_type", "messages")
    system: list[Block] = []
    turns: list[Block] = []
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        told = message.get("role") if isinstance(message, Mapping) else None
        role = told if isinstance(told, str) else None
        if role in _SYSTEM:
            system += _content(message, place, images=False)
        elif role in _BLOCKS:
            side = "assistant" if role == "assistant" else "user"
            blocks = _BLOCKS[role](message, place)
            if not blocks:
                raise Refused(400, f"{place} says nothing; Bedrock refuses empty messages", "empty_message", place)
            if turns and turns[-1]["role"] == side:
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": side, "content": blocks})
        else:
            raise Refused(
                400, f"{place}.role must be one of {', '.join((*sorted(_SYSTEM), *_BLOCKS))}", "wrong_type", place
            )
    return system, turns


def speaks_of_tools(turns: Sequence[Block]) -> bool:
    """Whether a tool was called before: Converse then wants to know the tools again."""
    return any("toolUse" in block or "toolResult" in block for turn in turns for block in turn["content"])


def _user(message: Mapping[str, Any], place: str) -> list[Block]:
    return _content(message, place, images=True)


def _assistant(message: Mapping[str, Any], place: str) -> list[Block]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Refused(400, f"{place}.tool_calls must be a list", "wrong_type", place)
    text = _content(message, place, images=False)
    return [*text, *(_tool_use(call, f"{place}.tool_calls[{index}]") for index, call in enumerate(calls))]


def _tool_use(call: object, place: str) -> Block:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping):
        raise Refused(400, f"{place} must call a function", "wrong_type", place)
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise Refused(400, f"{place}.function.arguments must be a JSON object as text", "wrong_type", place)
    name, called = _text_in(function, "name", place), _text_in(call, "id", place)
    return {"toolUse": {"toolUseId": called, "name": name, "input": arguments}}


def _tool(message: Mapping[str, Any], place: str) -> list[Block]:
    content = _content(message, place, images=True)
    return [{"toolResult": {"toolUseId": _text_in(message, "tool_call_id", place), "content": content}}]


_BLOCKS = {"user": _user, "assistant": _assistant, "tool": _tool}


def _content(message: Mapping[str, Any], place: str, *, images: bool) -> list[Block]:
    """Blank texts are left out: Bedrock refuses them."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return [{"text": content}] if content and content.strip() else []
    if not isinstance(content, list):
        raise Refused(400, f"{place}.content must be a text or a list of parts", "wrong_type", place)
    return list(_parts(content, place, images))


def _parts(parts: Sequence[object], place: str, images: bool) -> Iterator[Block]:
    for index, part in enumerate(parts):
        where = f"{place}.content[{index}]"
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(part, Mapping) and kind == "text":
            if (text := _text_in(part, "text", where, empty=True)).strip():
                yield {"text": text}
        elif isinstance(part, Mapping) and kind == "image_url" and images:
            yield _image(part, where)
        else:
            allowed = "text or image_url" if images else "text"
            raise Refused(400, f"{where} must be of type {allowed}", "unsupported_value", where)


def _image(part: Mapping[str, Any], place: str) -> Block:
    given = part.get("image_url")
    url = given.get("url") if isinstance(given, Mapping) else given
    found = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        raise Refused(
            400, f"{place}.image_url must hold the image itself, as data:image/png;base64,... (or jpeg, gif, webp): "
            "nothing is fetched for you", "unsupported_value", place,
        )  # fmt: skip
    return {"image": {"format": found[1], "source": {"bytes": found[2]}}}


def _text_in(document: Mapping[str, Any], name: str, place: str, *, empty: bool = False) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise Refused(400, f"{place}.{name} must be a text", "wrong_type", place)
    return value
