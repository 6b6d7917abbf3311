"""Servers behind bearer tokens, asked by the SDK's client over streamable HTTP."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from mcp_tools.catalogue import SERVERS
from mcp_tools.http_server import BODY_LIMIT_BYTES
from tests.support.mcp_http import serving
from tests.support.mcp_sessions import text_of

FIRST_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "metrics_monitor": ("get_site_health", {"site": "site-a"}),
    "container_ops": ("drain_site", {"site": "site-a", "dry_run": True}),
    "telemetry": ("query_journal", {}),
    "inference": ("list_models", {}),
    "memory_sync": ("get_swarm_state", {}),
}


def connection(url: str, token: str) -> Client:
    headers = {"authorization": f"Bearer {token}"}
    return Client(streamable_http_client(url, http_client=httpx2.AsyncClient(headers=headers)))


def call(url: str, token: str, tool: str, arguments: Mapping[str, object]) -> CallToolResult:
    async def main() -> CallToolResult:
        async with connection(url, token) as client:
            return await client.call_tool(tool, dict(arguments))

    return asyncio.run(main())


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_is_listed_and_called_over_http(server: str) -> None:
    async def main(url: str) -> tuple[set[str], CallToolResult]:
        async with connection(url, "act") as client:
            tool, arguments = FIRST_CALLS[server]
            return {one.name for one in (await client.list_tools()).tools}, await client.call_tool(tool, arguments)

    with serving(server) as url:
        listed, result = asyncio.run(main(url))
    assert listed == {tool.run.__name__ for tool in SERVERS[server].tools}
    assert not result.is_error, text_of(result)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving("container_ops") as address:
        yield address


def test_the_role_of_each_callers_token_decides(url: str) -> None:
    arguments = {"site": "site-b", "dry_run": True}
    refused = call(url, "look", "drain_site", arguments)
    assert (refused.is_error, text_of(refused)) == (
        True,
        "Error executing tool drain_site: needs the operator role, and this caller is viewer: look is not enough",
    )
    assert not call(url, "act", "drain_site", arguments).is_error


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_token"),
        ({"authorization": "Bearer wrong"}, "invalid_token"),
        ({"authorization": "Basic act"}, "invalid_token"),
        ({"x-edgemind-site-token": "between-sites"}, "missing_token"),
    ],
)
@pytest.mark.parametrize("path", ["", "/other"])
def test_without_a_token_of_the_fleet_nothing_passes(url: str, headers: dict[str, str], code: str, path: str) -> None:
    answer = httpx2.post(url + path, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["data"]["code"] == code


def test_a_body_beyond_the_limit_is_refused(url: str) -> None:
    headers = {"authorization": "Bearer act", "content-type": "application/json"}
    assert httpx2.post(url, content=b"x" * (BODY_LIMIT_BYTES + 1), headers=headers).status_code == 413


def test_a_page_of_another_host_is_refused(url: str) -> None:
    headers = {"authorization": "Bearer act", "host": "evil.example", "content-type": "application/json"}
    assert httpx2.post(url, json={}, headers=headers).status_code == 421
