"""Each condition of each write is taken from each real store: its own check of the contract suite fails, and no other.

So the suite would notice a store that lost one. `./run mutants` runs these, and what the storm makes of such a store.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.swarm_store import json_file
from edgemind.adapters.swarm_store.dynamodb import DynamoDbSwarmStore
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.writes import Claim, Decide, OpenRound
from edgemind.ports.swarm_store import SwarmStore
from tests.support.engines.aws import LocalAws
from tests.support.swarm_checks import CHECKS
from tests.support.swarm_mutants import NAMES, without

pytestmark = pytest.mark.mutants

CLAUSES = {
    "epoch": "epoch = :epoch",
    "round": "rnd = :rnd",
    "decided": "st = :st",
    "open": "st = :st",
    "unclaimed": "attribute_not_exists(claims.#site)",
}
"""Of the writes on the current round, as DynamoDB is told; the others have one condition only."""


class WeakenedDynamoDbSwarmStore(DynamoDbSwarmStore):
    """Always finds one condition to hold, named as "OpenRound epoch"."""

    def __init__(self, engine: LocalAws, table: str, metro: str, lacks: str) -> None:
        super().__init__(lambda: table, metro, engine.region, engine.endpoint_url, timeout_s=30.0)
        self._kind, _, self._name = lacks.partition(" ")
        self._writing = ""

    def open_round(self, write: OpenRound) -> Applied | Refused:
        return self._as("OpenRound", super().open_round, write)

    def decide(self, write: Decide) -> Applied | Refused:
        return self._as("Decide", super().decide, write)

    def claim(self, write: Claim) -> Applied | Refused:
        return self._as("Claim", super().claim, write)

    def genesis(self, write: Any) -> Applied | Refused:
        return self._as("Genesis", super().genesis, write)

    def put_ballot(self, write: Any) -> Applied | Refused:
        return self._as("PutBallot", super().put_ballot, write)

    def change_roster(self, write: Any) -> Applied | Refused:
        return self._as("ChangeRoster", super().change_roster, write)

    def _as(self, kind: str, call: Callable[[Any], Applied | Refused], write: object) -> Applied | Refused:
        self._writing = kind
        try:
            return call(write)
        finally:
            self._writing = ""

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._writing != self._kind:
            return super()._call(operation, arguments)
        condition = arguments["ConditionExpression"]
        clause = CLAUSES.get(self._name, condition)
        assert clause in condition
        # Not left out: names and values that an expression does not use are refused.
        always = condition.replace(clause, f"({clause} OR attribute_not_exists(nothing_is_called_so))")
        return super()._call(operation, {**arguments, "ConditionExpression": always})


def failed(store_of: Callable[[str], SwarmStore]) -> set[str]:
    """The names of the checks that fail, each on a store of its own."""
    found = set()
    for name, check in CHECKS.items():
        try:
            check(store_of(name))
        except AssertionError:
            found.add(name)
    return found


def test_every_condition_has_a_check_of_its_own() -> None:
    assert sorted(CHECKS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_in_memory(name: str) -> None:
    assert failed(lambda _: MemorySwarmStore("test", without(name))) == {name}


@pytest.mark.parametrize("name", NAMES)
def test_in_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "CONDITIONS", without(name))
    assert failed(lambda check: json_file.JsonFileSwarmStore(tmp_path / check, "test")) == {name}


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_in_a_table(name: str, dynamodb_local: LocalAws) -> None:
    table = dynamodb_local.new_table()
    assert failed(lambda check: WeakenedDynamoDbSwarmStore(dynamodb_local, table, check, name)) == {name}
