"""A table of tools becomes an MCP server: roles, time limits, bounded answers, errors with tool and cause."""

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel

import edgemind
from edgemind.entrypoints.controller.access import Role
from edgemind.errors import EdgeMindError
from mcp_tools.calls import Call, Doorway, Sessions, current_call

TIMEOUT_S = 8.0
RESULT_LIMIT_BYTES = 256 * 1024
"""An answer beyond this is refused: it would fill whatever reads it, most often a model's context."""

W = TypeVar("W", bound=Callable[..., Any])

log = logging.getLogger("edgemind.mcp")


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """`run(call, **arguments)` with typed arguments and a model as its result; its docstring is what clients read.

    `changes`: it changes something, so `least` is above viewer. `idempotent`: twice is as good as once.
    """

    run: Callable[..., Awaitable[BaseModel]]
    least: Role = Role.VIEWER
    timeout_s: float = TIMEOUT_S
    changes: bool = False
    idempotent: bool = True


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """`read(call, **parts of the URI)`; open to every role."""

    uri: str
    read: Callable[..., Awaitable[BaseModel]]


@dataclass(frozen=True, slots=True)
class ServerSpec:
    name: str
    purpose: str
    tools: Sequence[ToolSpec]
    resources: Sequence[ResourceSpec] = ()

    def build(self, sessions: Sessions) -> MCPServer[Any]:
        """A server of its own; `sessions` tells who sends a message."""
        server: MCPServer[Any] = MCPServer(
            name=f"edgemind-{self.name}",
            title=f"EdgeMind {self.name.replace('_', ' ')}",
            instructions=self.purpose,
            version=edgemind.__version__,
            tools=[_tool(spec) for spec in self.tools],
            middleware=[Doorway(sessions)],
            log_level="WARNING",
        )
        for resource in self.resources:
            decorate = server.resource(resource.uri, mime_type="application/json", name=resource.read.__name__)
            decorate(_readable(resource))
        return server


@cache
def _tool(spec: ToolSpec) -> Tool:
    hints = ToolAnnotations(
        read_only_hint=not spec.changes,
        destructive_hint=spec.changes,
        idempotent_hint=spec.idempotent,
        open_world_hint=False,
    )
    tool = Tool.from_function(_guarded(spec), annotations=hints)
    # The SDK drops arguments that it does not know. A misspelt `dry_run` must not become a change.
    arguments = tool.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    described = tool.fn_metadata.output_schema
    assert described is not None
    tool.fn_metadata.output_schema = without_references(described)
    return tool.model_copy(update={"parameters": arguments.model_json_schema(by_alias=True)})


def without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with its definitions in place: clients check each result, and half of that was looking them up.

    For schemas that do not contain themselves.
    """
    definitions = schema.get("$defs", {})

    def placed(part: Any) -> Any:
        if isinstance(part, list):
            return [placed(one) for one in part]
        if not isinstance(part, dict):
            return part
        rest = {name: placed(one) for name, one in part.items() if name not in {"$ref", "$defs"}}
        named = part.get("$ref")
        return {**placed(definitions[named.rpartition("/")[2]]), **rest} if isinstance(named, str) else rest

    whole: dict[str, Any] = placed(schema)
    return whole


def _guarded(spec: ToolSpec) -> Callable[..., Awaitable[CallToolResult]]:
    async def guarded(**arguments: Any) -> CallToolResult:
        call = current_call()
        _require(call, spec.least)
        return _answer(await _within(spec.timeout_s, spec.run(call, **arguments)))

    hints = get_type_hints(spec.run, include_extras=True)
    return _pose_as(guarded, spec.run, Annotated[CallToolResult, hints["return"]])


def _readable(spec: ResourceSpec) -> Callable[..., Awaitable[str]]:
    async def readable(**parts: str) -> str:
        try:
            return _bounded((await _within(TIMEOUT_S, spec.read(current_call(), **parts))).model_dump_json())
        except ToolError as exc:
            raise ResourceError(str(exc)) from exc

    return _pose_as(readable, spec.read, str)


def _pose_as(wrapper: W, function: Callable[..., Any], returns: object) -> W:
    """Give `wrapper` the name, the docstring and, but for the call, the parameters that the SDK makes schemas of."""
    hints = get_type_hints(function, include_extras=True)
    first, *others = inspect.signature(function, eval_str=True).parameters.values()
    assert hints.pop(first.name) is Call
    posing: Any = wrapper
    posing.__name__, posing.__doc__ = function.__name__, inspect.getdoc(function)
    posing.__signature__ = inspect.Signature(others, return_annotation=returns)
    posing.__annotations__ = {**hints, "return": returns}
    return wrapper


def _require(call: Call, least: Role) -> None:
    role = call.session.role
    if role < least:
        wanted, has = least.name.lower(), role.name.lower()
        raise ToolError(f"needs the {wanted} role, and this caller is {has}: {call.session.cure}")


async def _within(limit_s: float, work: Awaitable[BaseModel]) -> BaseModel:
    """The result. Raises ToolError with the cause; the SDK puts the tool's name before it."""
    limit = asyncio.timeout(limit_s)
    try:
        async with limit:
            return await work
    except EdgeMindError as exc:
        raise ToolError(str(exc)) from exc
    except ToolError:
        raise
    except Exception as exc:
        if limit.expired():
            raise ToolError(f"no answer within {limit_s:g} s: the fleet hangs, or is very slow") from exc
        # The edge of the server: the SDK would hide what went wrong from whoever has to mend it.
        log.exception("a tool failed")
        raise ToolError(f"unexpected {type(exc).__name__}: {exc}") from exc


def _answer(result: BaseModel) -> CallToolResult:
    text = _bounded(result.model_dump_json())
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=json.loads(text))


def _bounded(text: str) -> str:
    size = len(text.encode())
    if size > RESULT_LIMIT_BYTES:
        raise ToolError(
            f"the answer has {size} bytes and the limit is {RESULT_LIMIT_BYTES}: ask for less (`limit`, or one by name)"
        )
    return text
