"""What advice may not ask for: by field, by step, by bounds; and what a store holds is checked once more."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.advice.changes import ChangeState, Move, PolicyInForce
from edgemind.domain.advice.guard_rails import ProposalRefused, moves_of
from edgemind.domain.advice.overlay import overlaid, stale, values_in_force
from edgemind.domain.advice.settings import ADVISABLE, PolicyValues
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.thresholds import Thresholds
from tests.support.advice import STANDING, change, proposal

PATHS = st.sampled_from(sorted(ADVISABLE))
ANY_VALUE = st.floats() | st.integers(-(10**9), 10**9)


def refused(values: dict[str, float], **more: object) -> dict[str, str]:
    with pytest.raises(ProposalRefused) as raised:
        moves_of(proposal(values, **more), STANDING)  # type: ignore[arg-type]
    return dict(raised.value.findings)


@pytest.mark.parametrize(
    ("values", "field", "why"),
    [
        ({"fleet.tokens.admin": 1}, "fleet.tokens.admin", "advice may not change it; it may change swarm."),
        ({"swarm.enabled": 0}, "swarm.enabled", "may not change it"),
        ({"swarm.cooldown_ms": 1e9}, "swarm.cooldown_ms", "advice may set it from 500 to 600000 ms"),
        (
            {"swarm.cooldown_ms": 9000},
            "swarm.cooldown_ms",
            "too far from 5000; one change may set it from 2500 to 7500",
        ),
        ({"swarm.cooldown_ms": 5000}, "swarm.cooldown_ms", "is 5000 already"),
        ({"swarm.cooldown_ms": math.nan}, "swarm.cooldown_ms", "is nan; advice may set it"),
        ({"thresholds.queue_depth": 45.5}, "thresholds.queue_depth", "it is a whole number"),
        ({}, "changes", "names 0 settings; one change moves 1 to 3"),
        (dict.fromkeys(ADVISABLE, 1.0), "changes", "names 6 settings"),
    ],
)
def test_each_refusal_names_its_field(values: dict[str, float], field: str, why: str) -> None:
    findings = refused(values) if values else refused_nothing()
    assert why in findings[field]


def refused_nothing() -> dict[str, str]:
    with pytest.raises(ProposalRefused) as raised:
        moves_of(replace(proposal(), values={}), STANDING)
    return dict(raised.value.findings)


def test_everything_wrong_is_told_at_once() -> None:
    findings = refused({"swarm.cooldown_ms": 1, "drop\x1b[2Jtables": 2}, reason="", for_s=10**9)
    assert set(findings) == {"swarm.cooldown_ms", "drop\\x1b[2Jtables", "reason", "for_s"}


@given(path=PATHS, value=ANY_VALUE)
def test_whatever_is_taken_is_within_bounds_and_one_step(path: str, value: float) -> None:
    try:
        (move,) = moves_of(proposal({path: value}), STANDING)
    except ProposalRefused:
        return
    setting = ADVISABLE[path]
    low, high = setting.reach(STANDING.value(path))
    assert setting.low <= low <= move.after <= high <= setting.high
    assert STANDING.changed({path: move.after}).value(path) == move.after


@given(path=PATHS)
def test_the_ends_of_the_reach_that_is_told_are_taken(path: str) -> None:
    for end in ADVISABLE[path].reach(STANDING.value(path)):
        if end != STANDING.value(path):
            assert moves_of(proposal({path: end}), STANDING)[0].after == end


def test_a_value_outside_of_advices_bounds_stays_where_the_operator_put_it() -> None:
    extreme = PolicyValues(SwarmPolicy(hysteresis_ratio=0.9), Thresholds())
    assert ADVISABLE["swarm.hysteresis_ratio"].reach(0.9) == (0.45, 0.5)
    assert moves_of(proposal({"swarm.hysteresis_ratio": 0.5}), extreme)[0].after == 0.5
    assert ADVISABLE["swarm.cooldown_ms"].reach(3_600_000) == (3_600_000, 3_600_000)


def test_a_change_is_laid_over_the_file_as_a_whole() -> None:
    values, why = overlaid(STANDING, change())
    assert (values.swarm.hysteresis_ratio, why) == (0.08, None)
    assert values.thresholds == STANDING.thresholds


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        ((Move("fleet.auth", 0, 1),), "advice may not change fleet.auth"),
        ((Move("swarm.cooldown_ms", 5000, 5),), "outside what advice may set"),
        ((Move("swarm.cooldown_ms", 5000, 500_000),), "further than one change may"),
        ((Move("swarm.cooldown_ms", 4000, 4500),), "the configuration says 5000"),
        ((Move("swarm.hysteresis_ratio", 0.1, 0.08), Move("swarm.sample_ms", 250, 50)), "swarm.sample_ms"),
    ],
)
def test_what_a_store_holds_beyond_the_guard_rails_is_left_aside(moves: tuple[Move, ...], why: str) -> None:
    values, told = overlaid(STANDING, change(moves=moves))
    assert values == STANDING
    assert why in str(told)


def test_values_in_force_are_those_of_the_file_when_a_change_is_over_or_paused() -> None:
    accepted = change(state=ChangeState.ACCEPTED)
    path = "swarm.hysteresis_ratio"
    for policy, now_ms, expected in (
        (PolicyInForce(1, False, accepted), 2000, 0.08),
        (PolicyInForce(1, True, accepted), 2000, 0.1),
        (PolicyInForce(1, False, accepted), accepted.expires_ms, 0.1),
        (PolicyInForce(1, False, change()), 2000, 0.1),
        (PolicyInForce(), 2000, 0.1),
    ):
        assert values_in_force(STANDING, policy, now_ms)[path] == expected
    assert stale(accepted.moves, STANDING) is None
