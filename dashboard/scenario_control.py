"""The demo's scenarios: which there are, which one plays, and how another one is started."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from dashboard.connection import Connection
from dashboard.http_calls import Answer, http_get, http_post
from dashboard.trouble import FleetTrouble


@dataclass(frozen=True, slots=True)
class ScenarioLine:
    name: str
    text: str
    possible: bool = True


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demo's devices do now. `lasts_s` None: without an end. `told` are the newest events, the last first."""

    playing: str
    elapsed_s: float
    lasts_s: float | None
    scenarios: list[ScenarioLine]
    told: list[str] = field(default_factory=list)


_STAGE = TypeAdapter(Stage)


def read_stage(control: Connection) -> Stage:
    """Raises FleetTrouble."""
    return _stage(http_get(control, "scenarios"))


def start_scenario(control: Connection, name: str) -> Stage:
    """In the place of the one that plays. Raises FleetTrouble."""
    return _stage(http_post(control, "scenarios", {"name": name}))


def _stage(answer: Answer) -> Stage:
    if answer.status != 200:
        raise FleetTrouble("The demo refuses", answer.body[:500].decode("utf-8", "replace"))
    try:
        return _STAGE.validate_json(answer.body)
    except ValidationError as exc:
        raise FleetTrouble("The demo is not understood", "Start the demo and the page from the same version.") from exc
