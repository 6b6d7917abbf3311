"""Alerts in the order in which they are shown."""

from collections.abc import Iterable

from edgemind.domain.alerts.engine import SEVERITIES
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, AlertStatus

_STATES = (AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)
_COURSE = (AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVED)
_LEVELS = (*reversed(SEVERITIES), Level.UNKNOWN, Level.OK)


def worst_first(alerts: Iterable[AlertStatus], limit: int) -> list[AlertStatus]:
    """Firing ones first, the worst level first, then the newest. Of each id the state that comes last in its course."""
    by_id: dict[str, AlertStatus] = {}
    for alert in alerts:
        known = by_id.setdefault(alert.id, alert)
        if _COURSE.index(alert.state) > _COURSE.index(known.state):
            by_id[alert.id] = alert
    return sorted(by_id.values(), key=_order)[:limit]


def _order(alert: AlertStatus) -> tuple[int, int, int, str]:
    level = 0 if alert.state is AlertState.RESOLVED else _LEVELS.index(alert.level)
    return _STATES.index(alert.state), level, -(alert.ended_ms or alert.since_ms), alert.id
