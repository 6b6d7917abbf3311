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


def hysteresis(fleet: ControllerFleet) -> set[float]:
    """By which each site voted in one more round; empty while it is not over, or not all have voted."""
    before = fleet.rounds("site-a")
    fleet.post("site-a", "/rounds", {"model": "detector"})
    newest = fleet.rounds("site-a")[:1]
    if not newest or newest == before[:1]:
        return set()
    _, record = fleet.get("site-a", f"/rounds/{newest[0]['fence']}")
    votes = record["votes"] if record else {}
    return {vote["view"]["policy"]["hysteresis_ratio"] for vote in votes.values()} if len(votes) == 3 else set()


def test_all_sites_vote_by_the_change_in_force_and_by_the_file_when_it_is_rolled_back(fleet: ControllerFleet) -> None:
    until(lambda: hysteresis(fleet) == {0.1}, "rounds by what the file says")
    until(lambda: hysteresis(fleet) and len(fleet.rounds("site-a")) >= LEAST_ROUNDS, "rounds to judge by")
    pids = {name: process.pid for name, process in fleet.processes.items()}
    body = {"changes": [{"field": "swarm.hysteresis_ratio", "to": 0.12}], "reason": "calmer", "for_s": 600}

    status, change = fleet.post("site-b", "/advice", body)
    assert (status, change["state"]) == (201, "proposed"), change
    status, change = fleet.post("site-c", f"/advice/{change['id']}/accept", None)
    assert (status, change["state"]) == (200, "accepted"), change
    until(lambda: hysteresis(fleet) == {0.12}, "every site votes by the change")

    fleet.processes["site-b"].kill()
    fleet.processes["site-b"].wait()
    fleet.start("site-b")
    until(lambda: hysteresis(fleet) == {0.12}, "one that starts anew, too")

    status, change = fleet.post("site-a", f"/advice/{change['id']}/rollback", None)
    assert (status, change["state"]) == (200, "rolled_back"), change
    until(lambda: hysteresis(fleet) == {0.1}, "the file's value is back everywhere")
    still = {name: process.pid for name, process in fleet.processes.items() if name != "site-b"}
    assert still.items() <= pids.items()
    assert all(process.poll() is None for process in fleet.processes.values())
