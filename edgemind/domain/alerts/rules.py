"""The alerts there are: those of the KPI catalogue, and what has no number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.kpi import KPIS, Level
from edgemind.domain.monitoring.conditions import CONDITIONS

TIME_LIMIT_S = 3600.0
"""The longest that an alert may be made to wait: later than that, nobody is helped by it."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """`dwell_s`: how long it is observed beyond a limit before it fires; `recovery_s`: within it, before it ends.

    `level` is that of a state that is wrong by itself; a KPI's follows from its value. `text` says what it is about.
    """

    name: str
    text: str
    dwell_s: float
    recovery_s: float
    level: Level = Level.UNKNOWN

    @property
    def runbook(self) -> str:
        """A path below docs/."""
        return f"runbooks/{self.name.replace('_', '-')}.md"


CONFIG_REFUSED = "config_refused"
STORE_UNREACHABLE = "store_unreachable"
AUDIT_BROKEN = "audit_broken"
TELEMETRY_DROPS = "telemetry_drops"
SITE_DOWN = "site_report_age_ms"
"""The only KPI whose alerts are about single sites."""

# What no series shows is only seen by the site itself.
_UNSEEN = (AlertRule(AUDIT_BROKEN, "The audit journal does not hold what happens.", 0.0, 60.0, Level.CRITICAL),)
RULES: Mapping[str, AlertRule] = {
    rule.name: rule
    for rule in (
        *_UNSEEN,
        *(AlertRule(kpi.name, kpi.title, kpi.dwell_s, kpi.recovery_s) for kpi in KPIS),
        *(AlertRule(one.name, one.text, one.dwell_s, one.recovery_s, one.level) for one in CONDITIONS),
    )
}


def adjusted_rules(dwell_s: Mapping[str, float], recovery_s: Mapping[str, float]) -> Mapping[str, AlertRule]:
    """The rules with an operator's own times. OutOfBounds names an alert that there is not, or a time out of bounds."""
    rules = dict(RULES)
    for field, times in (("dwell_s", dwell_s), ("recovery_s", recovery_s)):
        for name, seconds in times.items():
            if name not in rules:
                raise OutOfBounds(field, f"there is no alert {name!r}; there are {', '.join(sorted(rules))}")
            if not 0.0 <= seconds <= TIME_LIMIT_S:
                raise OutOfBounds(field, f"{name} is {seconds:g}; it must be from 0 to {TIME_LIMIT_S:g} s")
    for name, seconds in dwell_s.items():
        rules[name] = replace(rules[name], dwell_s=seconds)
    for name, seconds in recovery_s.items():
        rules[name] = replace(rules[name], recovery_s=seconds)
    return rules
