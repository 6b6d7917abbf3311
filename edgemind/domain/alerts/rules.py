"""The alerts there are: those of the KPI catalogue, and what has no number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.kpi import BY_NAME

TIME_LIMIT_S = 3600.0
"""The longest that an alert may be made to wait: later than that, nobody is helped by it."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """`dwell_s`: how long it is observed beyond a limit before it fires; `recovery_s`: within it, before it ends."""

    name: str
    title: str
    dwell_s: float
    recovery_s: float

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

# A site falls silent for seconds or for good, and its report is told at once; ratios move over their whole window. The
# figure of the last few rounds stays as it is until the next one: waiting would not make it surer.
_TIMES: Mapping[str, tuple[float, float]] = {
    SITE_DOWN: (5.0, 15.0),
    "swarm_coordination_ms": (10.0, 60.0),
    "consensus_success_ratio": (10.0, 60.0),
    "availability_ratio": (30.0, 60.0),
    "slo_attainment_ratio": (60.0, 120.0),
    "metro_cache_hit_ratio": (120.0, 120.0),
    "added_latency_ms": (60.0, 60.0),
    "recovery_time_min": (0.0, 0.0),
    "recovery_point_min": (0.0, 0.0),
    "spend_ratio": (300.0, 300.0),
}
RULES: Mapping[str, AlertRule] = {
    rule.name: rule
    for rule in (
        *(AlertRule(name, BY_NAME[name].title, *times) for name, times in _TIMES.items()),
        AlertRule(CONFIG_REFUSED, "Configuration refused", 5.0, 0.0),
        AlertRule(STORE_UNREACHABLE, "State store out of reach", 15.0, 15.0),
        AlertRule(AUDIT_BROKEN, "Audit journal broken", 0.0, 60.0),
        AlertRule(TELEMETRY_DROPS, "Telemetry dropped", 60.0, 120.0),
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
