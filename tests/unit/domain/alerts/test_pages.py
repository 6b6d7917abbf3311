from edgemind.domain.alerts.pages import worst_first
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, AlertStatus


def alert(name: str, level: Level, state: AlertState, since_ms: int = 0, ended_ms: int | None = None) -> AlertStatus:
    return AlertStatus(name, name, level, state, None, "", "", since_ms, ended_ms)


def test_firing_ones_first_the_worst_first_then_the_newest() -> None:
    alerts = [
        alert("over", Level.CRITICAL, AlertState.RESOLVED, 1, 50),
        alert("over later", Level.INFO, AlertState.RESOLVED, 1, 60),
        alert("pending", Level.CRITICAL, AlertState.PENDING),
        alert("old warning", Level.WARNING, AlertState.FIRING, 1),
        alert("new warning", Level.WARNING, AlertState.FIRING, 2),
        alert("critical", Level.CRITICAL, AlertState.FIRING, 1),
    ]
    names = ["critical", "new warning", "old warning", "pending", "over later", "over"]
    assert [one.name for one in worst_first(alerts, 10)] == names
    assert [one.name for one in worst_first(alerts, 2)] == names[:2]


def test_of_one_alert_that_two_sites_tell_the_later_state_is_shown() -> None:
    firing = alert("a", Level.WARNING, AlertState.FIRING)
    resolved = alert("a", Level.WARNING, AlertState.RESOLVED, ended_ms=5)
    assert worst_first([firing, resolved, firing], 10) == worst_first([resolved, firing], 10) == [resolved]
