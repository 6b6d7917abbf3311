"""The circuit of an upstream, transition by transition."""

import pytest

from edgemind.domain.routing.health import Circuit, EjectionRule, UpstreamHealth

RULE = EjectionRule(consecutive=3, window=20, failure_ratio=0.5, base_s=1.0, max_s=30.0)


def opened(at_s: float = 0.0) -> UpstreamHealth:
    health = UpstreamHealth(RULE)
    health.failed(at_s, unreachable=True)
    return health


def half_opened() -> UpstreamHealth:
    health = opened()
    assert health.tick(1.0)
    return health


def test_it_starts_closed_and_clean() -> None:
    health = UpstreamHealth(RULE)
    assert (health.circuit, health.selectable, health.clean) == (Circuit.CLOSED, True, True)


def test_failures_in_a_row_open_it() -> None:
    health = UpstreamHealth(RULE)
    health.failed(0.0)
    health.failed(0.0)
    assert health.selectable
    assert not health.clean
    health.failed(0.0)
    assert (health.circuit, health.selectable) == (Circuit.OPEN, False)


def test_a_success_between_breaks_the_row() -> None:
    health = UpstreamHealth(RULE)
    for _ in range(5):
        health.failed(0.0)
        health.failed(0.0)
        health.succeeded()
    assert health.circuit is Circuit.CLOSED


def test_more_than_half_of_the_window_opens_it_without_any_row() -> None:
    health = UpstreamHealth(EjectionRule(consecutive=100, window=20, failure_ratio=0.5))
    for _ in range(10):
        health.failed(0.0)
    assert health.selectable
    health.succeeded()
    health.failed(0.0)
    assert health.circuit is Circuit.OPEN


def test_old_outcomes_leave_the_window() -> None:
    health = UpstreamHealth(RULE)
    health.failed(0.0)
    for _ in range(RULE.window):
        health.succeeded()
    assert health.clean


def test_a_refused_connection_opens_it_at_once() -> None:
    assert opened().circuit is Circuit.OPEN


def test_time_half_opens_it_once() -> None:
    health = opened()
    assert not health.tick(0.99)
    assert health.tick(1.0)
    assert (health.circuit, health.selectable) == (Circuit.HALF_OPEN, True)
    assert not health.tick(2.0)


def test_a_half_open_one_admits_one_request() -> None:
    health = half_opened()
    health.picked()
    assert (health.circuit, health.selectable) == (Circuit.TRIAL, False)


def test_picking_a_closed_one_changes_nothing() -> None:
    health = UpstreamHealth(RULE)
    health.picked()
    health.abandoned()
    assert health.circuit is Circuit.CLOSED


def test_a_trial_that_succeeds_closes_it_and_forgets_the_past() -> None:
    health = half_opened()
    health.picked()
    health.succeeded()
    assert (health.circuit, health.clean) == (Circuit.CLOSED, True)
    health.failed(10.0, unreachable=True)
    assert not health.tick(10.99)
    assert health.tick(11.0), "the next ejection is a first one again"


def test_a_trial_that_fails_doubles_the_time() -> None:
    health = half_opened()
    health.picked()
    health.failed(1.5)
    assert health.circuit is Circuit.OPEN
    assert not health.tick(3.49)
    assert health.tick(3.5)


def test_a_trial_that_ends_without_telling_may_be_tried_again() -> None:
    health = half_opened()
    health.picked()
    health.abandoned()
    assert (health.circuit, health.selectable) == (Circuit.HALF_OPEN, True)


def test_failures_of_requests_sent_before_do_not_prolong_an_ejection() -> None:
    health = opened(at_s=0.0)
    health.failed(0.9)
    assert health.tick(1.0)


@pytest.mark.parametrize("ejections", [6, 2_000], ids=["a minute", "a day"])
def test_an_ejection_is_never_longer_than_its_limit(ejections: int) -> None:
    health, now_s = UpstreamHealth(RULE), 0.0
    for _ in range(ejections):
        health.failed(now_s, unreachable=True)
        now_s += RULE.max_s
        assert health.tick(now_s)
        health.picked()
    health.failed(now_s)
    assert not health.tick(now_s + RULE.max_s - 0.01)
    assert health.tick(now_s + RULE.max_s)
