"""What is alerted beside the KPIs: a state that is wrong by itself, whatever the numbers are."""

from dataclasses import dataclass

from edgemind.domain.kpi import Level
from edgemind.domain.monitoring import metrics as names
from edgemind.domain.monitoring.metrics import AT, METRO


@dataclass(frozen=True, slots=True)
class Condition:
    """`promql` has a value while it is so; its label `at` names the site. None: Prometheus cannot see it."""

    name: str
    level: Level
    text: str
    promql: str | None
    dwell_s: int
    recovery_s: int

    @property
    def runbook(self) -> str:
        return f"runbooks/{self.name.replace('_', '-')}.md"


_REFUSED = names.METRICS["edgemind_gateway_reload_failures"].series[0]
CONDITIONS = (
    Condition(
        "config_refused",
        Level.INFO,
        "A gateway refused its new configuration; the one before stays in force.",
        f"sum by ({METRO}, {AT}) (increase({_REFUSED}[10m])) > 0",
        dwell_s=0,
        recovery_s=0,
    ),
    Condition(
        "store_unreachable",
        Level.WARNING,
        "A site cannot use the state store: it serves, but takes part in no round.",
        f"min by ({METRO}, {AT}) ({names.STORE_UP.name}) < 1 or min by ({METRO}, {AT}) ({names.REGISTRY_UP.name}) < 1",
        dwell_s=30,
        recovery_s=60,
    ),
    Condition(
        "telemetry_drops",
        Level.INFO,
        "Telemetry is dropped, and what it would show is missing; nothing else is slower for it.",
        None,
        dwell_s=60,
        recovery_s=120,
    ),
)
