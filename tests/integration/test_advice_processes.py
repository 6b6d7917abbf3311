"""Controllers as processes follow the change in force without a restart: the next round's votes are by its policy."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edgemind.domain.advice.replay import LEAST_ROUNDS
from tests.support.controller_processes import ControllerFleet, model_server, until
from tests.support.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ControllerFleet]:
    with served(model_server) as url, ControllerFleet(tmp_path, url).running() as running:
        running.provision()
        for name in running.names:
            until(partial(running.sees_all, name), f"{name} sees everybody")
        yield running


def hysteresis(fleet: ControllerFleet, name: str) -> float | None:
    """By which a site voted in one more round, its own; None if its vote came too late for that."""
    before = {one["fence"] for one in fleet.rounds(name)}
    fleet.post(name, "/rounds", {"model": "detector"})
    # Asked for, and decided some time later.
    until(lambda: {one["fence"] for one in fleet.rounds(name)} - before, f"one more round at {name}")
    _, record = fleet.get(name, f"/rounds/{fleet.rounds(name)[0]['fence']}")
    vote = record["votes"].get(name) if record else None
    return float(vote["view"]["policy"]["hysteresis_ratio"]) if vote else None


def all_vote_by(fleet: ControllerFleet, ratio: float, what: str) -> None:
    """Site by site: a quorum is enough for a round, so that on a slow machine few have everybody's vote."""

    def votes_by_it(name: str) -> bool:
        return hysteresis(fleet, name) == ratio

    for name in fleet.names:
        until(partial(votes_by_it, name), f"{what} at {name}")


def test_all_sites_vote_by_the_change_in_force_and_by_the_file_when_it_is_rolled_back(fleet: ControllerFleet) -> None:
    all_vote_by(fleet, 0.1, "rounds by what the file says")
    until(lambda: hysteresis(fleet, "site-c") and len(fleet.rounds("site-c")) >= LEAST_ROUNDS, "rounds to judge by")
    pids = {name: process.pid for name, process in fleet.processes.items()}
    body = {"changes": [{"field": "swarm.hysteresis_ratio", "to": 0.12}], "reason": "calmer", "for_s": 600}

    status, change = fleet.post("site-b", "/advice", body)
    assert (status, change["state"]) == (201, "proposed"), change
    status, change = fleet.post("site-c", f"/advice/{change['id']}/accept", None)
    assert (status, change["state"]) == (200, "accepted"), change
    all_vote_by(fleet, 0.12, "a vote by the change")

    fleet.processes["site-b"].kill()
    fleet.processes["site-b"].wait()
    fleet.start("site-b")
    until(lambda: hysteresis(fleet, "site-b") == 0.12, "one that starts anew, too")

    status, change = fleet.post("site-a", f"/advice/{change['id']}/rollback", None)
    assert (status, change["state"]) == (200, "rolled_back"), change
    all_vote_by(fleet, 0.1, "the file's value again")
    still = {name: process.pid for name, process in fleet.processes.items() if name != "site-b"}
    assert still.items() <= pids.items()
    assert all(process.poll() is None for process in fleet.processes.values())
