"""What a round of 50 sites costs: write units as DynamoDB Local counts them, beside the simulator's estimate."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from edgemind.adapters.swarm_store.dynamodb import DynamoDbSwarmStore
from edgemind.adapters.swarm_store.records import write_units
from edgemind.domain.swarm.ballots import quorum
from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.protocol import Applied
from edgemind.domain.swarm.records import KEEP, Ballot, Fence, Outcome
from edgemind.domain.swarm.voter import VotingPolicy, rank
from edgemind.domain.swarm.writes import Claim, Decide, Genesis, OpenRound, PutBallot
from edgemind.simulation.swarm_loads import SwarmLoads
from tests.support.engines.aws import LocalAws

SITES = tuple(f"frankfurt-{number:02}" for number in range(50))
UNITS_LIMIT = 70


@dataclass(slots=True)
class Meter:
    units: float = 0.0


class MeteredSwarmStore(DynamoDbSwarmStore):
    """Adds up what DynamoDB says that its writes cost."""

    def __init__(self, engine: LocalAws, table: str) -> None:
        super().__init__(lambda: table, "frankfurt", engine.region, engine.endpoint_url, timeout_s=30.0)
        self.meter = Meter()

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = super()._call(operation, {**arguments, "ReturnConsumedCapacity": "TOTAL"})
        if operation in ("put_item", "update_item"):
            self.meter.units += answer["ConsumedCapacity"]["CapacityUnits"]
        return answer


@pytest.mark.slow
@pytest.mark.engine
def test_a_round_of_fifty_sites_costs_what_the_simulator_says(dynamodb_local: LocalAws) -> None:
    store = MeteredSwarmStore(dynamodb_local, dynamodb_local.new_table())
    store.genesis(Genesis())
    store.meter.units = 0.0
    loads = SwarmLoads(Random(1)).new_round(SITES, SITES[0])
    candidates = propose(loads, SITES[0], "llama-3.1-8b-instruct")
    fence = Fence(1, 1)
    ranking = rank(candidates, loads, VotingPolicy(), None)

    opening = OpenRound(fence, candidates, SITES, quorum(len(SITES)), f"{SITES[0]}/1767225600000/1")
    assert store.open_round(opening) == Applied()
    ballots = [Ballot(fence, site, ranking) for site in SITES]
    for ballot in ballots:
        assert store.put_ballot(PutBallot(ballot)) == Applied()
    chosen = next(candidate for candidate in candidates if candidate != KEEP)
    decision = Decide(fence, Outcome(chosen), SITES, f"{SITES[1]}/1767225600000/2")
    assert store.decide(decision) == Applied()
    assert store.claim(Claim(fence, chosen.site, 1767225600000)) == Applied()

    opened = opening.opened()
    decided = decision.applied(opened)
    estimated = write_units(opened) + sum(map(write_units, ballots)) + 2 * write_units(decided)
    assert store.meter.units <= UNITS_LIMIT
    assert abs(store.meter.units - estimated) <= 3, f"{store.meter.units} measured, {estimated} estimated"
