"""The conditions of every write as stores without a language of their own evaluate them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from edgemind.domain.swarm.roster import ChangeRoster
from edgemind.domain.swarm.writes import Claim, Decide, Genesis, OpenRound, PutBallot
from edgemind.ports.swarm_store import NotProvisioned

Conditions: TypeAlias = Mapping[type, Mapping[str, Callable[[Any, Any], bool]]]
"""Named conditions by kind of write: each takes the write and the item as it is."""

CONDITIONS: Conditions = {
    kind: kind.conditions for kind in (OpenRound, Decide, Claim, PutBallot, Genesis, ChangeRoster)
}

BALLOTS_KEPT_ROUNDS = 16
"""Ballots of older rounds are dropped when one opens; a database lets them expire."""


def holds(conditions: Conditions, write: object, held: object) -> bool:
    return all(condition(write, held) for condition in conditions[type(write)].values())


def not_provisioned(metro: str) -> NotProvisioned:
    return NotProvisioned(
        f"metro {metro} has no current round. If it is new, run `edgemind swarm provision`. If it had one, its record "
        "is lost: give --epoch a number higher than ever before, so that no old decision is taken for a new one."
    )
