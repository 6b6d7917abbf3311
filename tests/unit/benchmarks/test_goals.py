import pytest

from benchmarks.goals import Goal


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "0.9, met"), (1.0, "1, met"), (1.01, "1.01, MISSED"), (None, "not measured")]
)
def test_a_goal_says_whether_it_was_reached(value, verdict):
    assert Goal("CPU per request, x Envoy", 1.0, value).line() == f"goal: CPU per request, x Envoy <= 1: {verdict}"
