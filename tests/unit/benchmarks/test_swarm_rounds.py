"""What the benchmark of rounds makes of what the fleet tells; the processes are run by the command itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks import swarm_rounds
from benchmarks.metro import Metro, configuration
from benchmarks.peers.base import StartError
from benchmarks.swarm_rounds import SITES, RoundTimes
from edgemind.settings import load_settings


class Told(Metro):
    """Answers with the pages of a fleet that decided 250 rounds, and with a site that takes part or does not."""

    def get(self, site: str, path: str) -> Any:
        if path.startswith("/sites/"):
            return {"swarm": {"known": "1.250", "store_ms": 4.0} if site == SITES[0] else None}
        before = int(path.partition("cursor=1.")[2] or 251)
        numbers = range(before - 1, max(0, before - 101), -1)
        last = numbers[-1] if numbers else 0
        return {"rounds": [{"n": n} for n in numbers], "next_cursor": f"1.{last}" if last > 1 else None}


def test_rounds_are_read_page_by_page_the_newest_first() -> None:
    kept = swarm_rounds._newest(Told({}), 230)
    assert [one["n"] for one in kept] == list(range(250, 20, -1))
    assert len(swarm_rounds._newest(Told({}), 400)) == 250


def test_a_site_that_takes_part_in_no_rounds_ends_the_run() -> None:
    assert swarm_rounds._known(Told({}), SITES[0]) == 250
    with pytest.raises(StartError, match="site-b does not take part"):
        swarm_rounds._known(Told({}), SITES[1])


def test_what_others_took_is_what_is_left_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert swarm_rounds._others((0, 0, 0), (1000, 1500, 500)) == 0.5
    assert swarm_rounds._others((0, 0, 0), (1000, 400, 500)) == 0.0


def test_blocks_are_one_measurement() -> None:
    parts = [
        RoundTimes(2, [10.0, 30.0], 0, 0, {"site-a": 4.0}, 0.2, {"strands": 6}),
        RoundTimes(2, [20.0], 1, 0, {"site-a": 6.0}, 0.4, {"strands": 5, "library": 1}),
    ]
    whole = swarm_rounds.together(parts)
    assert (whole.rounds, whole.p50_ms, whole.timed_out) == (4, 20.0, 1)
    assert (whole.store_ms, whole.voters) == ({"site-a": 5.0}, {"strands": 11, "library": 1})
    assert whole.others_cpu_ratio == pytest.approx(0.3)


def test_voters_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def measured(rounds: int, cores: object, progress: object, voter: str) -> RoundTimes:
        asked.append((voter, rounds))
        return RoundTimes(rounds, [1.0], 0, 0, {}, 0.0)

    monkeypatch.setattr(swarm_rounds, "measure_rounds", measured)
    taken = swarm_rounds.measure_voters(("library", "strands"), 100, frozenset(), lambda _: None)
    assert asked == [("library", 50), ("strands", 50)] * 2
    assert {name: one.rounds for name, one in taken.items()} == {"library": 100, "strands": 100}


def test_quantiles_of_no_rounds_are_none() -> None:
    times = RoundTimes(0, [], 0, 0, {}, 0.0)
    assert (times.p50_ms, times.p99_ms) == (None, None)


def test_the_metro_has_a_configuration_that_can_be_used(tmp_path: Path) -> None:
    ports = {site: 20_000 + number for number, site in enumerate(SITES)}
    file = tmp_path / "edgemind.yaml"
    file.write_text(json.dumps(configuration(tmp_path, SITES, ports)))
    assert [site.name for site in load_settings(file).sites] == list(SITES)
