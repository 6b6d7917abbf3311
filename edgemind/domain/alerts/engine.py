"""Alerts from observations: how long something was seen beyond its limit decides, and who was told is remembered.

Only observed time counts. An unknown value neither fires nor resolves anything: it stops the clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edgemind.domain.alerts.rules import AlertRule
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, AlertStatus

GAP_LIMIT_S = 10.0
"""Between two observations that are further apart nobody looked: that time counts for nothing."""
RESOLVED_KEPT = 100
RELAPSE_S = 600.0
"""An alert that comes back within this is unsteady: each time it has to be well for twice as long before it ends."""
DOUBLINGS = 4
SEVERITIES = (Level.INFO, Level.WARNING, Level.CRITICAL)
Key = tuple[str, str | None]
"""(name, site): there is one alert of each."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen just now. `level` OK: within all limits; UNKNOWN: nobody could tell. `text` says what is wrong."""

    name: str
    site: str | None
    level: Level
    text: str = ""
    kpi: str | None = None
    value: float | None = None
    limit: float | None = None
    unit: str = ""

    @property
    def key(self) -> Key:
        return self.name, self.site


class Change(StrEnum):
    """Why somebody is told."""

    FIRED = "fired"
    WORSE = "worse"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """`concerns`: the levels of whoever has to hear it; of an end, all levels that this alert was told at."""

    change: Change
    alert: AlertStatus
    concerns: frozenset[Level]


class _Switch:
    """Whether one level holds. `held_s`: for how long it has been seen on the side on which it was seen last."""

    __slots__ = ("beyond", "held_s", "looking", "on")

    def __init__(self) -> None:
        self.held_s = 0.0
        self.on = self.beyond = self.looking = False

    def see(self, beyond: bool, passed_s: float, dwell_s: float, recovery_s: float) -> None:
        if beyond is not self.beyond:
            self.held_s = 0.0
        elif self.looking:
            self.held_s += passed_s
        self.beyond, self.looking = beyond, True
        if self.held_s >= (dwell_s if beyond else recovery_s):
            self.on = beyond

    def look_away(self) -> None:
        """The time until the next look counts for nothing."""
        self.looking = False


class _Alert:
    """One alert that is pending or firing. `told_at` are the levels that anybody was told."""

    __slots__ = ("relapses", "seen", "since_ms", "switches", "text_of", "told_at")

    def __init__(self, seen: Observation, since_ms: int, relapses: int = 0) -> None:
        self.seen = seen
        self.since_ms = since_ms
        self.relapses = relapses
        self.told_at: frozenset[Level] = frozenset()
        self.switches = {level: _Switch() for level in SEVERITIES}
        self.text_of: Observation = seen
        """The last observation beyond a limit: what is said of an alert that is about to end."""

    def see(self, seen: Observation, passed_s: float, rule: AlertRule) -> None:
        self.seen = seen
        if seen.level is Level.UNKNOWN:
            for switch in self.switches.values():
                switch.look_away()
            return
        severity = _rank(seen.level)
        recovery_s = rule.recovery_s * 2 ** min(self.relapses, DOUBLINGS)
        for rank, level in enumerate(SEVERITIES, 1):
            self.switches[level].see(severity >= rank, passed_s, rule.dwell_s, recovery_s)
        if severity:
            self.text_of = seen

    @property
    def told(self) -> Level | None:
        """The worst level that anybody was told."""
        return max(self.told_at, key=_rank, default=None)

    @property
    def level(self) -> Level | None:
        """The worst level that holds; None while pending, or once it is over."""
        return next((level for level in reversed(SEVERITIES) if self.switches[level].on), None)


class AlertEngine:
    """`rules` by name. Times are passed in: monotonic seconds for durations, wall milliseconds to be shown."""

    def __init__(self, rules: Mapping[str, AlertRule]) -> None:
        self.rules = rules
        self._alerts: dict[Key, _Alert] = {}
        self._resolved: list[AlertStatus] = []
        self._ended: dict[Key, tuple[float, int]] = {}
        self._last_s: float | None = None

    def step(
        self, observations: Iterable[Observation], sites: Collection[str], now_s: float, wall_ms: int
    ) -> list[Notice]:
        """What follows from one look. An alert about a site that is not in `sites` ends: it is nobody's any more."""
        passed_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        passed_s = passed_s if 0.0 <= passed_s <= GAP_LIMIT_S else 0.0
        self._ended = {key: ended for key, ended in self._ended.items() if now_s - ended[0] < RELAPSE_S}
        notices: list[Notice] = []
        for seen in observations:
            notices += self._see(seen, passed_s, now_s, wall_ms)
        for key in [key for key in self._alerts if key[1] is not None and key[1] not in sites]:
            notices += self._end(key, now_s, wall_ms, f"{key[1]} is no longer a site of this fleet.")
        return notices

    def _see(self, seen: Observation, passed_s: float, now_s: float, wall_ms: int) -> list[Notice]:
        key, rule = seen.key, self.rules[seen.name]
        alert = self._alerts.get(key)
        if alert is None:
            if not _rank(seen.level):
                return []
            relapses = self._ended[key][1] + 1 if key in self._ended else 0
            alert = self._alerts[key] = _Alert(seen, wall_ms, relapses)
        alert.see(seen, passed_s, rule)
        level = alert.level
        if level is None:
            # Still pending, unless it is seen to be well.
            return self._end(key, now_s, wall_ms, seen.text) if seen.level is Level.OK else []
        if alert.told is not None and _rank(alert.told) >= _rank(level):
            return []
        change = Change.FIRED if alert.told is None else Change.WORSE
        alert.told_at |= {level}
        return [Notice(change, self._status(key, alert), frozenset({level}))]

    def _end(self, key: Key, now_s: float, wall_ms: int, text: str) -> list[Notice]:
        alert = self._alerts.pop(key)
        if alert.told is None:
            return []
        self._ended[key] = now_s, alert.relapses
        status = replace(
            self._status(key, alert),
            level=alert.told,
            state=AlertState.RESOLVED,
            ended_ms=max(wall_ms, alert.since_ms),
            text=text or "It is within its limits again.",
        )
        self._keep(status)
        return [Notice(Change.RESOLVED, status, alert.told_at)]

    def _status(self, key: Key, alert: _Alert) -> AlertStatus:
        level, said = alert.level, alert.text_of
        unknown = alert.seen.level is Level.UNKNOWN
        return AlertStatus(
            id=f"{key[0]}.{key[1] or 'metro'}.{alert.since_ms}",
            name=key[0],
            level=level or said.level,
            state=AlertState.PENDING if level is None else AlertState.FIRING,
            site=key[1],
            text=f"{said.text} Just now nobody can tell." if unknown else said.text,
            runbook=self.rules[key[0]].runbook,
            since_ms=alert.since_ms,
            kpi=said.kpi,
            value=None if unknown else alert.seen.value,
            limit=said.limit,
            unit=said.unit,
        )

    # What it knows, for showing and for handing over

    def alerts(self) -> list[AlertStatus]:
        """Pending and firing ones, and the newest that are resolved; in no particular order."""
        return [*(self._status(key, alert) for key, alert in self._alerts.items()), *self._resolved]

    def firing(self) -> set[Key]:
        return {key for key, alert in self._alerts.items() if alert.told is not None}

    def pending(self) -> set[Key]:
        return {key for key, alert in self._alerts.items() if alert.told is None}

    def forget(self, keys: Iterable[Key]) -> None:
        """Somebody else goes on with these: nobody is told."""
        for key in keys:
            self._alerts.pop(key, None)

    def adopt(self, told: Sequence[AlertStatus]) -> None:
        """Go on with what another engine told: the same alert, of which nobody is told again.

        What was pending there waits here anew; what this version has no rule for is left alone.
        """
        for status in told:
            key = status.name, status.site
            if status.name not in self.rules or status.level not in SEVERITIES:
                continue
            if status.state is AlertState.RESOLVED:
                self._keep(status)
            elif status.state is AlertState.FIRING and key not in self._alerts:
                self._alerts[key] = _adopted(status)

    def _keep(self, resolved: AlertStatus) -> None:
        """The newest first."""
        others = [alert for alert in self._resolved if alert.id != resolved.id]
        newest_first = sorted([resolved, *others], key=lambda alert: -(alert.ended_ms or 0))
        self._resolved = newest_first[:RESOLVED_KEPT]


def _adopted(status: AlertStatus) -> _Alert:
    seen = Observation(
        status.name, status.site, status.level, status.text, status.kpi, status.value, status.limit, status.unit
    )
    alert = _Alert(seen, status.since_ms)
    # At which milder levels it was told is not known: an end that is told once too often is better than none.
    alert.told_at = frozenset(level for level in SEVERITIES if _rank(level) <= _rank(status.level))
    for level in SEVERITIES:
        alert.switches[level].on = level in alert.told_at
    return alert


def _rank(level: Level) -> int:
    """0 for OK and UNKNOWN."""
    return SEVERITIES.index(level) + 1 if level in SEVERITIES else 0
