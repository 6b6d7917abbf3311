"""Rounds between real controller processes over one file: decided once, whoever dies, and whatever befalls the store.

Asserted by state: a test never measures time. In every bad hour the controllers go on: tables follow and gateways are
answered.
"""

import json
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.domain.swarm.writes import Genesis
from edgemind.errors import StoreUnavailable
from tests.support.controller_processes import ControllerFleet, model_server, until
from tests.support.serving import served

OVERLOAD, CALM = 12, 1


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ControllerFleet]:
    with served(model_server) as url, ControllerFleet(tmp_path, url).running() as running:
        yield running


@pytest.fixture
def swarm(fleet: ControllerFleet) -> ControllerFleet:
    """Provisioned, and everybody sees everybody."""
    fleet.provision()
    for name in fleet.names:
        until(partial(fleet.sees_all, name), f"{name} sees everybody")
    return fleet


def decided(fleet: ControllerFleet, asked: str) -> list[dict[str, Any]]:
    """Rounds of which this site knows the outcome, the newest first."""
    return [one for one in fleet.rounds(asked) if one["outcome"]]


def known(fleet: ControllerFleet, asked: str) -> str:
    """The newest round that a site knows the outcome of."""
    status, site = fleet.get(asked, f"/sites/{asked}")
    return str(site["swarm"]["known"]) if status == 200 else ""


def _all_know(fleet: ControllerFleet, names: list[str], after: str) -> Callable[[], bool]:
    """Whether these sites know one and the same round, and it is not `after`."""

    def holds() -> bool:
        fences = {known(fleet, name) for name in names}
        return len(fences) == 1 and not fences & {after, ""}

    return holds


def _decide(fleet: ControllerFleet, names: list[str], before: str) -> bool:
    """Ask, and ask again: while a round is under way nothing follows from asking."""
    fleet.post(names[0], "/rounds", {"model": "detector"})
    return _all_know(fleet, names, after=before)()


def _pause(fleet: ControllerFleet, name: str) -> None:
    """Anywhere but within a write: a file store's lock is held by who is paused there, and nobody decides meanwhile."""
    store = JsonFileSwarmStore(fleet.folder / "state", "test", lock_timeout_s=0.5)
    while True:
        fleet.signal(name, signal.SIGSTOP)
        try:
            store.genesis(Genesis())
        except StoreUnavailable:
            fleet.signal(name, signal.SIGCONT)
        else:
            return


def agree(fleet: ControllerFleet, names: list[str]) -> None:
    """Nobody may have learned another outcome of any round."""
    outcomes: dict[str, set[tuple[str, str | None, int]]] = {}
    for name in names:
        for one in decided(fleet, name):
            outcomes.setdefault(one["fence"], set()).add((one["outcome"], one["target"], one["amount"]))
    assert outcomes
    assert {fence: found for fence, found in outcomes.items() if len(found) > 1} == {}


def stored(fleet: ControllerFleet) -> dict[str, Any]:
    document = json.loads((fleet.folder / "state" / "swarm.json").read_text(encoding="utf-8"))
    records: dict[str, Any] = document["records"]
    current: dict[str, Any] = records["G#test/CUR"]
    return current


def test_a_crowd_at_one_site_is_decided_about_and_everybody_knows(swarm: ControllerFleet) -> None:
    swarm.arrivals_per_s["site-a"] = 900.0
    swarm.in_flight["site-a"] = OVERLOAD
    until(_all_know(swarm, swarm.names, after="1.0"), "a breach leads to a round that all sites know")
    agree(swarm, swarm.names)
    newest = decided(swarm, "site-a")[-1]
    assert newest["n"] == 1
    assert newest["breached"] == "site-a"
    assert newest["outcome"] == "SHIFT", "the others are idle"
    assert newest["of"] == "site-a"
    assert newest["ballots"] >= 2


@pytest.mark.slow
def test_an_operator_forces_a_round_and_a_viewer_may_not(swarm: ControllerFleet) -> None:
    assert swarm.post("site-b", "/rounds", {"model": "detector"}, token="look")[0] == 403
    assert swarm.post("site-b", "/rounds", {"model": "nothing"})[0] == 409
    assert swarm.post("site-b", "/rounds", {"model": "detector"})[0] == 202
    until(_all_know(swarm, swarm.names, after="1.0"), "the round is decided")
    assert decided(swarm, "site-c")[0]["outcome"] == "KEEP", "nobody is in trouble"


@pytest.mark.slow
def test_without_the_first_round_nothing_is_decided_and_the_log_says_what_to_run(fleet: ControllerFleet) -> None:
    fleet.arrivals_per_s["site-a"] = 900.0
    fleet.in_flight["site-a"] = OVERLOAD
    until(lambda: "edgemind swarm provision" in fleet.log("site-a"), "the log names the command")
    assert all(fleet.rounds(name) == [] or not decided(fleet, name) for name in fleet.names)
    until(lambda: fleet.row("site-a") == set(fleet.names), "tables are computed all the same")
    fleet.provision()
    until(_all_know(fleet, fleet.names, after="1.0"), "and once it is there, rounds are decided")


@pytest.mark.slow
def test_a_coordinator_that_is_killed_is_followed_and_comes_back_with_what_was_decided(swarm: ControllerFleet) -> None:
    for turn in range(3):
        before = known(swarm, "site-b")
        swarm.post("site-a", "/rounds", {"model": "detector"})
        swarm.signal("site-a", signal.SIGKILL)
        # Killed before it told anybody, there is no round; the next one that is asked for is decided.
        until(partial(_decide, swarm, ["site-b", "site-c"], before), f"turn {turn}: the others decide without it")
        swarm.start("site-a")
        until(partial(swarm.sees_all, "site-a"), "it is back")
        until(_all_know(swarm, swarm.names, after=before), "and knows what was decided")
    agree(swarm, swarm.names)


@pytest.mark.slow
def test_a_paused_coordinator_goes_on_after_the_next_round_and_changes_nothing(swarm: ControllerFleet) -> None:
    swarm.post("site-a", "/rounds", {"model": "detector"})
    _pause(swarm, "site-a")
    for _ in range(2):
        before = known(swarm, "site-b")
        until(partial(_decide, swarm, ["site-b", "site-c"], before), "the others decide")
    standing = stored(swarm)
    swarm.signal("site-a", signal.SIGCONT)
    until(_all_know(swarm, swarm.names, after=before), "it learns of what it missed")
    agree(swarm, swarm.names)
    assert (stored(swarm)["epoch"], stored(swarm)["rnd"]) >= (standing["epoch"], standing["rnd"])


@pytest.mark.slow
def test_two_sites_that_breach_at_once_decide_one_round_after_the_other(swarm: ControllerFleet) -> None:
    for name in ("site-a", "site-b"):
        swarm.arrivals_per_s[name] = 900.0
        swarm.in_flight[name] = OVERLOAD
    until(lambda: len(decided(swarm, "site-c")) >= 2, "both get their round")
    agree(swarm, swarm.names)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "rubbish", "unwritable"])
def test_a_damaged_store_stops_rounds_and_nothing_else(swarm: ControllerFleet, damage: str) -> None:
    file = swarm.folder / "state" / "swarm.json"
    whole = file.read_bytes()
    if damage == "unwritable":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(whole[: len(whole) // 2] if damage == "truncated" else b"\0\1\2")
    swarm.post("site-a", "/rounds", {"model": "detector"})
    until(lambda: not _store_ok(swarm, "site-a"), "the site says that its store is in trouble")
    swarm.arrivals_per_s["site-a"] = 900.0
    until(lambda: swarm.row("site-a") == set(swarm.names), "tables go on")
    assert known(swarm, "site-a") == "1.0"

    if damage == "unwritable":
        file.rmdir()
    file.write_bytes(whole)
    until(partial(_decide, swarm, swarm.names, "1.0"), "mended, rounds are decided again")
    until(lambda: _store_ok(swarm, "site-a"), "and the site says so")


def _store_ok(fleet: ControllerFleet, name: str) -> bool:
    return bool(fleet.get(name, f"/sites/{name}")[1]["swarm"]["store_ok"])
