"""`benchmarks voter`: what a site's ballot costs as an agent's, with two MCP calls, beside the library's own."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, quantiles
from time import perf_counter_ns, process_time_ns
from typing import Any

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel

from agents.mcp_connection import CallLimits
from agents.round_brief import load_document
from agents.runtime import SiteAgents
from agents.site_voter import VOTER_NAME, VoteLimits
from benchmarks.accounting import rss_mb
from benchmarks.memory import MemorySample
from edgemind import bootstrap
from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.records import Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad, rank
from edgemind.domain.swarm.votes import View

SITES = (3, 10, 50)
WARM_BALLOTS = 50
_MODEL = "bench-model"
# Nothing is given up while it is measured, however busy the machine is.
_CALLS, _VOTES = CallLimits(call_ms=60_000), VoteLimits(vote_ms=10_000)


class Load(BaseModel):
    slots: int
    demand: float
    replicas: int
    up: bool
    max_replicas: int


class Loads(BaseModel):
    model: str
    loads: dict[str, Load]


class SwarmState(BaseModel):
    since_change_ms: float | None


@dataclass(frozen=True, slots=True)
class BallotRow:
    voter: str
    sites: int
    cpu_mean_ms: float
    cpu_p50_ms: float
    cpu_p99_ms: float
    wall_p50_ms: float
    wall_p99_ms: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A metro whose last site has too much, and proposes what a site in breach does."""

    sites: int

    @property
    def loads(self) -> dict[str, SiteLoad]:
        return {f"site-{number}": SiteLoad(8, 1.5 * number, 2, max_replicas=4) for number in range(self.sites)}

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return propose(self.loads, f"site-{self.sites - 1}", _MODEL)

    @property
    def view(self) -> View:
        """As a controller makes it: only the sites that the candidates name."""
        named = {name for candidate in self.candidates for name in (candidate.site, candidate.of)}
        return View({site: load for site, load in self.loads.items() if site in named})

    def servers(self) -> Mapping[str, Callable[[], MCPServer[Any]]]:
        return {"metrics_monitor": self._metrics_monitor, "memory_sync": self._memory_sync}

    def _metrics_monitor(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("metrics_monitor", log_level="ERROR")

        async def get_fleet_metrics(model: str, sites: list[str], local: bool = False) -> Loads:
            """The loads of a model at some sites."""
            known = self.loads
            loads = {site: Load.model_validate(load_document(known[site])) for site in sites}
            return Loads(model=model, loads=loads)

        server.add_tool(get_fleet_metrics)
        return server

    def _memory_sync(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("memory_sync", log_level="ERROR")

        async def get_swarm_state(local: bool = False, limit: int = 10) -> SwarmState:
            """The swarm as this site knows it."""
            return SwarmState(since_change_ms=None)

        server.add_tool(get_swarm_state)
        return server


def measure_ballots(ballots: int, progress: Callable[[str], None], sites: Sequence[int] = SITES) -> list[BallotRow]:
    """One ballot after the other in this process, garbage collection on."""
    return asyncio.run(_measure_ballots(ballots, progress, sites))


def measure_ballot_memory(ballots: int, samples: int, progress: Callable[[str], None]) -> list[MemorySample]:
    """Resident memory of this process after each of `samples` blocks of ballots at ten sites."""
    return asyncio.run(_measure_memory(ballots, samples, progress))


def measure_start() -> tuple[float, float]:
    """Seconds of wall and of CPU until a new Python process has imported all that the agents need."""
    program = "import time, agents.runtime; print(time.process_time())"
    began_ns = perf_counter_ns()
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    return (perf_counter_ns() - began_ns) / 1e9, float(done.stdout)


async def _measure_ballots(ballots: int, progress: Callable[[str], None], sites: Sequence[int]) -> list[BallotRow]:
    rows = []
    for count in sites:
        progress(f"{count} sites")
        scene = Scene(count)
        view = scene.view

        async def librarys(scene: Scene = scene, view: View = view) -> None:
            rank(scene.candidates, view.loads, view.policy, view.since_change_ms)

        agents = SiteAgents("site-0", bootstrap.system_clock(), _CALLS, _VOTES)
        async with agents.running(scene.servers()):
            await agents.connected()

            async def strands(agents: SiteAgents = agents, scene: Scene = scene, view: View = view) -> None:
                await _ballot(agents, scene, view)

            rows.append(await _row(VOTER_NAME, count, strands, ballots))
        rows.append(await _row("library", count, librarys, ballots))
    return rows


async def _ballot(agents: SiteAgents, scene: Scene, view: View) -> None:
    vote = await agents.voter.vote(Fence(1, 1), scene.candidates, view)
    if vote is None or any(call.failed for call in vote.tool_calls) or len(vote.tool_calls) != 2:
        raise RuntimeError(f"no ballot of the kind that is measured: {vote}")


async def _row(voter: str, sites: int, work: Callable[[], Awaitable[None]], ballots: int) -> BallotRow:
    for _ in range(WARM_BALLOTS):
        await work()
    cpu_ms, wall_ms = [], []
    for _ in range(ballots):
        wall_ns, cpu_ns = perf_counter_ns(), process_time_ns()
        await work()
        cpu_ms.append((process_time_ns() - cpu_ns) / 1e6)
        wall_ms.append((perf_counter_ns() - wall_ns) / 1e6)
    cpu, wall = quantiles(cpu_ms, n=100), quantiles(wall_ms, n=100)
    return BallotRow(voter, sites, mean(cpu_ms), cpu[49], cpu[98], wall[49], wall[98])


async def _measure_memory(ballots: int, samples: int, progress: Callable[[str], None]) -> list[MemorySample]:
    scene = Scene(10)
    view = scene.view
    agents = SiteAgents("site-0", bootstrap.system_clock(), _CALLS, _VOTES)
    taken = []
    async with agents.running(scene.servers()):
        await agents.connected()
        for number in range(1, samples + 1):
            for _ in range(ballots // samples):
                await _ballot(agents, scene, view)
            gc.collect()
            taken.append(MemorySample(number * (ballots // samples), rss_mb(os.getpid()), 0))
            progress(f"{taken[-1].requests} ballots: {taken[-1].rss_mb:.1f} MB")
    return taken
