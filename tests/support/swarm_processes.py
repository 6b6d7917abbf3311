"""Processes that race for the rounds of one file, and for its roster.

Run: python -m tests.support.swarm_processes FOLDER NAME ROUNDS
"""

import sys
from pathlib import Path

from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.domain.swarm.protocol import Applied
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.roster import RosterMember
from edgemind.domain.swarm.writes import PutBallot
from tests.support.swarm_checks import ballot, claim, decide, opening


def race(directory: str, name: str, rounds: str) -> None:
    """Tries to open, decide and claim each round; prints a line "what round" for everything that it won."""
    store = JsonFileSwarmStore(Path(directory), "test", lock_timeout_s=30.0)
    for number in range(1, int(rounds) + 1):
        fence = Fence(1, number)
        if isinstance(store.open_round(opening(fence, nonce=f"{name} {number}")), Applied):
            print("open", number)
        store.put_ballot(PutBallot(ballot(name, fence)))
        if isinstance(store.decide(decide(fence, nonce=f"{name} {number}")), Applied):
            print("decide", number)
        if isinstance(store.claim(claim(fence, incarnation=int(name.removeprefix("site-")))), Applied):
            print("claim", number)
        _join(store, f"{name}-{number}")
        # Nobody goes on before the round is decided, or it would find the next one closed.
        assert store.read_current().fence >= fence


def _join(store: JsonFileSwarmStore, site: str) -> None:
    while store.change_roster(store.read_roster().joined(RosterMember(site, "http://x:1"), site)) != Applied():
        pass


if __name__ == "__main__":
    race(*sys.argv[1:])
