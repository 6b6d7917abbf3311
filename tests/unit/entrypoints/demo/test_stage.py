"""What plays on the demo's stage, and what a scenario that was asked for in between leaves behind: nothing."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edgemind.domain.scenarios import SCENARIOS
from edgemind.domain.workload import Arrival
from edgemind.entrypoints.demo.layout import demo_fleet
from edgemind.entrypoints.demo.options import DemoOptions
from edgemind.entrypoints.demo.stage import ScenarioImpossible, Stage


@dataclass
class Traffic:
    """Sends nothing; `runs` are the first arrivals of each act."""

    runs: list[Arrival] = field(default_factory=list)

    async def run(self, arrivals: Iterable[Arrival]) -> None:
        self.runs.append(next(iter(arrivals)))
        await asyncio.Event().wait()


@dataclass
class Fleet:
    layout: Any
    processes: Any = None


def stage(sites: int = 3, duration_s: float | None = None) -> tuple[Stage, Traffic, list[str]]:
    options = DemoOptions("simulated", SCENARIOS["normal"], "hybrid", 30.0, 1, duration_s, False, None)
    traffic, said = Traffic(), list[str]()
    fleet: Any = Fleet(demo_fleet(sites, 8100, llama=False))
    sender: Any = traffic
    return Stage(options, fleet, sender, said.append), traffic, said


def test_a_scenario_takes_the_place_of_what_plays() -> None:
    async def play() -> None:
        made, traffic, said = stage()
        running = asyncio.ensure_future(made.run())
        await asyncio.sleep(0)
        assert (made.document()["playing"], made.document()["lasts_s"]) == ("normal", None)
        made.start("gaming")
        while len(traffic.runs) < 2:  # noqa: ASYNC110 - no event tells that the stage has turned
            await asyncio.sleep(0)
        document = made.document()
        assert (document["playing"], document["lasts_s"]) == ("gaming", 60.0)
        assert said == [f"scenario gaming was asked for: {SCENARIOS['gaming'].text}"]
        assert document["told"] == said
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


def test_what_does_not_exist_or_needs_more_sites_changes_nothing() -> None:
    made, _, said = stage(sites=1)
    with pytest.raises(ScenarioImpossible, match="there are: normal, flash-crowd"):
        made.start("earthquake")
    with pytest.raises(ScenarioImpossible, match="needs 2 sites"):
        made.start("site-failure")
    assert (said, made.document()["playing"]) == ([], "normal")
    possible = {one["name"]: one["possible"] for one in made.document()["scenarios"]}  # type: ignore[attr-defined]
    assert (possible["site-failure"], possible["gaming"]) == (False, True)


def test_a_demo_with_a_duration_ends_whatever_plays() -> None:
    made, _, _ = stage(duration_s=0.01)
    asyncio.run(made.run())
