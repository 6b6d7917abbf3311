"""What the page asks the fleet API for: a path and the shape of its answer. Every list is bounded by what is asked."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from dashboard.explanations import Explanation
from edgemind.domain.fleet_status import DecisionPage, FleetStatus, TableStatus
from edgemind.domain.operations_status import AlertPage, KpiList, SeriesPage
from edgemind.domain.swarm.summaries import RoundPage

DECISIONS_SHOWN = 20
ROUNDS_SHOWN = 40
"""As many as stand on the latency chart; the lists show fewer."""
ALERTS_SHOWN = 50
CALLS_SHOWN = 30
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Resource(Generic[T]):
    """`path` comes after /edgemind/v1/; `name` is for people, where the fleet does not have it."""

    path: str
    kind: TypeAdapter[T]
    name: str


@dataclass(frozen=True, slots=True)
class WhoAmI:
    role: str


@dataclass(frozen=True, slots=True)
class AgentCall:
    """One call of a tool that an agent made; `arguments` and `result` are JSON text, cut by the fleet."""

    at_ms: int = 0
    site: str = ""
    role: str = ""
    tool: str = ""
    arguments: str = ""
    took_ms: float | None = None
    result: str | None = None
    failed: str | None = None
    fence: str | None = None


@dataclass(frozen=True, slots=True)
class AgentCalls:
    calls: list[AgentCall]
    next_cursor: str | None = None
    unreachable: list[str] = field(default_factory=list)


FLEET = Resource("fleet", TypeAdapter(FleetStatus), "the fleet")
DECISIONS = Resource(f"decisions?limit={DECISIONS_SHOWN}", TypeAdapter(DecisionPage), "decisions")
ROUNDS = Resource(f"rounds?limit={ROUNDS_SHOWN}", TypeAdapter(RoundPage), "rounds")
KPIS = Resource("kpis", TypeAdapter(KpiList), "KPIs")
ALERTS = Resource("alerts", TypeAdapter(AlertPage), "alerts")
SERIES = Resource("series", TypeAdapter(SeriesPage), "the last quarter of an hour")
TABLE = Resource("table", TypeAdapter(TableStatus), "a routing table")
CALLS = Resource(f"agent-calls?limit={CALLS_SHOWN}", TypeAdapter(AgentCalls), "calls of agents")
CONFIGURATION = Resource("config", TypeAdapter(dict[str, Any]), "its configuration")
WHOAMI = Resource("whoami", TypeAdapter(WhoAmI), "roles")


def explanation_of(path: str) -> Resource[Explanation]:
    return Resource(path, TypeAdapter(Explanation), "this decision")


def document_of(path: str) -> Resource[dict[str, Any]]:
    return Resource(path, TypeAdapter(dict[str, Any]), "this")
