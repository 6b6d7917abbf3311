"""`edgemind mcp` as clients start it, against real controllers: both transports, every example of docs/mcp.md."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from mcp_tools.catalogue import SERVERS
from tests.support.controller_processes import ROOT, ControllerFleet, model_server, until
from tests.support.mcp_sessions import text_of
from tests.support.serving import served

T = TypeVar("T")
GUIDE = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
TOKENS = {"the viewer token": "look", "the operator token": "act"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "metrics_monitor": ("get_fleet_metrics", {}),
    "container_ops": ("drain_site", {"site": "site-b", "dry_run": True}),
    "telemetry": ("export_metrics", {}),
    "inference": ("get_cache_status", {"model": "detector"}),
    "memory_sync": ("get_swarm_state", {}),
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControllerFleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with served(model_server) as url, ControllerFleet(folder, url, sites=2).running() as running:
        until(lambda: set(running.states("site-a").values()) == {"alive"}, "the sites see each other")
        yield running


def over_stdio(fleet: ControllerFleet, server: str, *flags: str, token: str = "look") -> StdioServerParameters:
    variables = {"EDGEMIND_FLEET_URL": fleet.url("site-a"), "EDGEMIND_FLEET_TOKEN": token}
    return StdioServerParameters(
        command=sys.executable, args=["-m", "edgemind", "mcp", server, *flags], env=variables, cwd=ROOT
    )


def with_client(connection: Any, use: Callable[[Client], Awaitable[T]]) -> T:
    async def main() -> T:
        async with Client(connection) as client:
            return await use(client)

    return asyncio.run(main())


def call(connection: Any, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    return with_client(connection, lambda client: client.call_tool(tool, arguments))


@contextlib.contextmanager
def http_server(fleet: ControllerFleet, server: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; it ends with the test."""
    config = str(fleet.folder / "edgemind.yaml")
    flags = ["--transport", "streamable-http", "--port", "0", "--fleet", fleet.url("site-a"), "--config", config]
    command = [sys.executable, "-m", "edgemind", "mcp", server, *flags]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, process.stderr.readline().split()[-1]
        finally:
            process.kill()


def bearer(url: str, token: str) -> Any:
    return streamable_http_client(url, http_client=httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}))


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_is_listed_and_called_over_stdio(fleet: ControllerFleet, server: str) -> None:
    async def use(client: Client) -> tuple[set[str], CallToolResult]:
        tool, arguments = CALLS[server]
        return {one.name for one in (await client.list_tools()).tools}, await client.call_tool(tool, arguments)

    listed, result = with_client(over_stdio(fleet, server), use)
    assert listed == {tool.run.__name__ for tool in SERVERS[server].tools}
    refused = server == "container_ops"
    assert result.is_error is refused, text_of(result)
    assert not refused or "start it with --allow-writes" in text_of(result)


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_is_listed_and_called_over_http(fleet: ControllerFleet, server: str) -> None:
    tool, arguments = CALLS[server]
    with http_server(fleet, server) as (process, url):
        assert not call(bearer(url, "act"), tool, arguments).is_error
        refused = call(bearer(url, "look"), tool, arguments)
        assert refused.is_error is (server == "container_ops"), text_of(refused)
        for headers in ({}, {"authorization": "Bearer wrong"}):
            assert httpx2.post(url, json={}, headers=headers).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_drain_needs_the_flag_and_the_token(fleet: ControllerFleet) -> None:
    arguments = {"site": "site-b"}
    without_flag = call(over_stdio(fleet, "container_ops", token="act"), "drain_site", arguments)
    assert "start it with --allow-writes" in text_of(without_flag)
    without_token = call(over_stdio(fleet, "container_ops", "--allow-writes"), "drain_site", arguments)
    assert "this needs the operator role and you are viewer" in text_of(without_token)
    assert fleet.states("site-b")["site-b"] == "alive"
    both = over_stdio(fleet, "container_ops", "--allow-writes", token="act")
    assert not call(both, "drain_site", arguments).is_error
    until(lambda: fleet.states("site-a")["site-b"] == "draining", "the other site sees the drain")
    assert not call(both, "drain_site", {**arguments, "draining": False}).is_error
    until(lambda: fleet.states("site-a")["site-b"] == "alive", "and its end")


def test_a_fleet_that_hangs_is_told_as_such_and_the_server_serves_on(fleet: ControllerFleet) -> None:
    async def use(client: Client) -> tuple[CallToolResult, CallToolResult]:
        fleet.signal("site-a", signal.SIGSTOP)
        hung = await client.call_tool("get_site_health", {"site": "site-a"})
        fleet.signal("site-a", signal.SIGCONT)
        return hung, await client.call_tool("get_site_health", {"site": "site-a"})

    try:
        hung, after = with_client(over_stdio(fleet, "metrics_monitor"), use)
    finally:
        fleet.signal("site-a", signal.SIGCONT)
    assert text_of(hung) == (
        "Error executing tool get_site_health: no answer within 8 s: the fleet hangs, or is very slow"
    )
    assert not after.is_error


def test_a_server_that_is_killed_amid_a_call_ends_the_call_with_an_error(
    fleet: ControllerFleet, tmp_path: Path
) -> None:
    """Its process tells its id through a file: the SDK keeps it to itself."""
    pid_file = tmp_path / "pid"
    asked = over_stdio(fleet, "metrics_monitor")
    tell = f"import os, pathlib; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    script = f"{tell}; os.execv({asked.command!r}, {[asked.command, *asked.args]!r})"

    async def use(client: Client) -> None:
        fleet.signal("site-a", signal.SIGSTOP)
        calling = asyncio.create_task(client.call_tool("get_site_health", {"site": "site-a"}))
        done, _ = await asyncio.wait([calling], timeout=0.5)
        assert not done, "it hangs: the fleet does not answer"
        os.kill(int(pid_file.read_text(encoding="utf-8")), signal.SIGKILL)
        with pytest.raises(Exception, match=r"(?i)closed"):
            await calling

    try:
        with_client(asked.model_copy(update={"args": ["-c", script]}), use)
    finally:
        fleet.signal("site-a", signal.SIGCONT)


def test_http_without_tokens_in_the_configuration_does_not_start(fleet: ControllerFleet, tmp_path: Path) -> None:
    text = (fleet.folder / "edgemind.yaml").read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("fleet:") and "controller:" not in line)
    (tmp_path / "edgemind.yaml").write_text(re.sub(r"(?s)  - name: site-b.*", "", bare), encoding="utf-8")
    flags = ["--transport", "streamable-http", "--port", "0", "--fleet", fleet.url("site-a")]
    command = [
        sys.executable,
        "-m",
        "edgemind",
        "mcp",
        "telemetry",
        *flags,
        "--config",
        str(tmp_path / "edgemind.yaml"),
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "set fleet.tokens" in ended.stderr) == (2, True), ended.stderr


# The guide


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def adapted(text: str, fleet: ControllerFleet, mcp_url: str = "") -> str:
    """This fleet's address and tokens for the guide's."""
    text = text.replace("http://127.0.0.1:8200", fleet.url("site-a")).replace("http://127.0.0.1:8600/mcp", mcp_url)
    for written, token in TOKENS.items():
        text = text.replace(written, token)
    return text


def entries(fleet: ControllerFleet, kind: str, mcp_url: str = "") -> list[dict[str, Any]]:
    documents = [json.loads(adapted(block, fleet, mcp_url))["mcpServers"] for block in blocks("json")]
    return [entry for document in documents for entry in document.values() if kind in entry]


def test_the_guides_entries_for_clients_work(fleet: ControllerFleet) -> None:
    by_command = entries(fleet, "command")
    assert [entry["args"][1] for entry in by_command] == ["metrics_monitor", "memory_sync", "container_ops"]
    for entry in by_command:
        tool, arguments = CALLS[entry["args"][1]]
        assert entry["command"] == "edgemind"
        started = StdioServerParameters(
            command=sys.executable, args=["-m", "edgemind", *entry["args"]], env=entry["env"], cwd=ROOT
        )
        result = call(started, tool, arguments)
        assert not result.is_error, text_of(result)


def test_the_guides_server_over_http_and_its_clients_work(fleet: ControllerFleet) -> None:
    (line,) = blocks("sh")
    words = line.split()
    assert words[:2] == ["edgemind", "mcp"]
    assert set(words) & {"--transport", "--port", "--config"} == {"--transport", "--port", "--config"}
    with http_server(fleet, words[2]) as (_, url):
        (entry,) = entries(fleet, "url", url)
        http = httpx2.AsyncClient(headers=entry["headers"])
        assert not call(streamable_http_client(entry["url"], http_client=http), *CALLS["metrics_monitor"]).is_error
        (example,) = blocks("python")
        command: Sequence[str] = [sys.executable, "-c", adapted(example, fleet, url)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, "'site': 'site-a'" in ended.stdout) == (0, True), ended.stderr
