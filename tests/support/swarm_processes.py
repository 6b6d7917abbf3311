"""Processes that race for the rounds of one metro, and for its roster.

Run: python -m tests.support.swarm_processes STORE NAME ROUNDS, where STORE is a folder or `table:NAME`
"""

import sys

from edgemind.domain.swarm.protocol import Applied
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.roster import RosterMember
from edgemind.domain.swarm.writes import PutBallot
from edgemind.ports.swarm_store import SwarmStore
from tests.support.swarm_checks import ballot, claim, decide, opening
from tests.support.swarm_histories import opened


def race(where: str, name: str, rounds: str) -> None:
    """Tries to open, decide and claim each round; prints a line "what round" for everything that it won."""
    store = opened(where)
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


def _join(store: SwarmStore, site: str) -> None:
    while store.change_roster(store.read_roster().joined(RosterMember(site, "http://x:1"), site)) != Applied():
        pass


if __name__ == "__main__":
    race(*sys.argv[1:])
