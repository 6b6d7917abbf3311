"""A site with its real MCP servers, and its agents' connections to all of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from agents.mcp_connection import McpConnection
from mcp_tools.calls import one_caller
from mcp_tools.catalogue import SERVERS
from tests.support.controllers import Metro
from tests.support.mcp_fleet import PATIENT
from tests.support.mcp_sessions import Notes, in_process, operator, telling_metro


class Site:
    """Site-a of a metro with its real servers, and connections to all of them."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.group: Metro = telling_metro()
        self.notes = Notes(self.group)
        self._entered = self._connected()
        self.connections = self.runner.run(self._entered.__aenter__())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[dict[str, McpConnection]]:
        sessions = one_caller(operator(in_process(self.group, self.notes)))
        made = {name: McpConnection(name, partial(spec.build, sessions), PATIENT) for name, spec in SERVERS.items()}
        tasks = [asyncio.create_task(one.run()) for one in made.values()]
        try:
            async with asyncio.timeout(30):
                await asyncio.gather(*(one.connected() for one in made.values()))
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def run(self, work: Awaitable[Any]) -> Any:
        return self.runner.run(work)  # type: ignore[arg-type]

    def close(self) -> None:
        self.runner.run(self._entered.__aexit__(None, None, None))
        self.runner.close()
        self.notes.keeper.close()
