"""Two who call Bedrock, asked the same questions: Strands' BedrockModel, and OpenAI's client through our proxy."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any, Protocol

import openai
from botocore.exceptions import ClientError

from tests.support.engines.aws import REGION
from tests.support.engines.converse import ConverseServer
from tests.support.engines.converse_script import Step

ADD_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
ADD = {"name": "add", "description": "Adds two numbers.", "parameters": ADD_SCHEMA}


class Trouble(Enum):
    THROTTLED = "throttled"
    INVALID = "invalid"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"
    """The answer began and did not come to its end."""


@dataclass(slots=True)
class Heard:
    """An answer as its caller got it; `calls` are (id, name, arguments)."""

    pieces: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    finish: str = ""
    tokens: tuple[int, int] = (0, 0)
    trouble: Trouble | None = None
    said: str = ""


class Caller(Protocol):
    def model_id(self) -> str:
        """One that nobody was asked about yet."""

    def ask(self, model_id: str, *, with_tools: bool = False, tool_result: bool = False) -> Heard: ...


class StrandsCaller:
    def __init__(self, server: ConverseServer) -> None:
        self._server = server
        self._numbers = count()

    def model_id(self) -> str:
        return f"test.strands-{next(self._numbers)}-v1:0"

    def ask(self, model_id: str, *, with_tools: bool = False, tool_result: bool = False) -> Heard:
        from botocore.config import Config
        from strands.models.bedrock import BedrockModel
        from strands.types.exceptions import ModelThrottledException

        model = BedrockModel(
            model_id=model_id,
            endpoint_url=self._server.url,
            region_name=REGION,
            boto_client_config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )
        messages: Any = [{"role": "user", "content": [{"text": "What is 2 + 3?"}]}]
        if tool_result:
            use = {"toolUseId": "call-1", "name": "add", "input": {"a": 2, "b": 3}}
            result = {"toolUseId": "call-1", "status": "success", "content": [{"text": "5"}]}
            messages += [
                {"role": "assistant", "content": [{"toolUse": use}]},
                {"role": "user", "content": [{"toolResult": result}]},
            ]
        spec: Any = {"name": "add", "description": ADD["description"], "inputSchema": {"json": ADD_SCHEMA}}
        heard = Heard()
        try:
            asyncio.run(self._listen(model.stream(messages, [spec] if with_tools else None, "Be brief."), heard))
        except ModelThrottledException as exc:
            heard.trouble, heard.said = Trouble.THROTTLED, str(exc)
        except ClientError as exc:
            heard.trouble, heard.said = _OF_CODE.get(exc.response["Error"]["Code"], Trouble.BROKEN), str(exc)
        except Exception as exc:  # noqa: BLE001 - whatever HTTP library or parser noticed it
            heard.trouble, heard.said = Trouble.BROKEN, str(exc)
        return heard

    async def _listen(self, events: Any, heard: Heard) -> None:
        arguments: list[str] = []
        async for event in events:
            if delta := event.get("contentBlockDelta", {}).get("delta"):
                heard.pieces += [delta["text"]] if "text" in delta else []
                arguments += [delta["toolUse"]["input"]] if "toolUse" in delta else []
            elif use := event.get("contentBlockStart", {}).get("start", {}).get("toolUse"):
                heard.calls.append((use["toolUseId"], use["name"], {}))
            elif "messageStop" in event:
                heard.finish = event["messageStop"]["stopReason"]
            elif usage := event.get("metadata", {}).get("usage"):
                heard.tokens = usage["inputTokens"], usage["outputTokens"]
        if heard.calls:
            heard.calls[-1][2].update(json.loads("".join(arguments)))


_OF_CODE: Mapping[str, Trouble] = {
    "ValidationException": Trouble.INVALID,
    "AccessDeniedException": Trouble.DENIED,
    "ServiceUnavailableException": Trouble.UNAVAILABLE,
    "throttlingException": Trouble.THROTTLED,
}


class ProxyCaller:
    """`names` are the models of the proxy's table, by their ids at Bedrock; each is given out once."""

    def __init__(self, url: str, names: Mapping[str, str], key: str = "none") -> None:
        self._url = url
        self._names = names
        self._unused = iter(names)
        self._key = key

    def model_id(self) -> str:
        return next(self._unused)

    def ask(self, model_id: str, *, with_tools: bool = False, tool_result: bool = False) -> Heard:
        messages: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 + 3?"}]
        if tool_result:
            function = {"name": "add", "arguments": '{"a": 2, "b": 3}'}
            messages += [
                {"role": "assistant", "tool_calls": [{"id": "call-1", "type": "function", "function": function}]},
                {"role": "tool", "tool_call_id": "call-1", "content": "5"},
            ]
        tools: Any = {"tools": [{"type": "function", "function": ADD}]} if with_tools else {}
        heard = Heard()
        with openai.OpenAI(base_url=self._url, api_key=self._key, max_retries=2) as client:
            try:
                stream = client.chat.completions.create(
                    model=self._names[model_id], messages=messages, stream=True,
                    stream_options={"include_usage": True}, **tools,
                )  # fmt: skip
                _listen(stream, heard)
            except openai.APIStatusError as exc:
                heard.trouble, heard.said = _OF_STATUS[exc.status_code], str(exc)
            except openai.APIError as exc:
                heard.trouble, heard.said = Trouble.BROKEN, str(exc)
        return heard


_OF_STATUS = {
    429: Trouble.THROTTLED,
    400: Trouble.INVALID,
    502: Trouble.DENIED,
    503: Trouble.UNAVAILABLE,
}


def _listen(stream: Any, heard: Heard) -> None:
    arguments: list[str] = []
    for chunk in stream:
        if chunk.usage:
            heard.tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
        for choice in chunk.choices:
            heard.pieces += [choice.delta.content] if choice.delta.content else []
            heard.finish = choice.finish_reason or heard.finish
            for call in choice.delta.tool_calls or ():
                if call.id:
                    heard.calls.append((call.id, call.function.name, {}))
                arguments.append(call.function.arguments or "")
    if heard.calls:
        heard.calls[-1][2].update(json.loads("".join(arguments)))


def scripted(caller: Caller, server: ConverseServer, *steps: Step) -> str:
    """A model of its own with these steps; its id."""
    return server.script(caller.model_id(), *steps)


def roles(body: Mapping[str, Any]) -> Sequence[str]:
    return [turn["role"] for turn in body["messages"]]
