"""The one door to the fleet API: every browser tab shares what was read last, so ten of them ask no more than one."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from dashboard.connection import Connection
from dashboard.explanations import Explanation
from dashboard.history import Flows, History, TrendPoint
from dashboard.http_calls import Answer, http_get, http_post
from dashboard.resources import FLEET, Resource, document_of, explanation_of
from dashboard.trouble import FleetTrouble, NotOffered, Unreachable
from edgemind.domain.fleet_status import FleetStatus
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import parse_record
from edgemind.domain.wire import DocumentInvalid

FRESH_S = 1.5
"""Less than the page's interval, so that a page alone gets something new at each refresh."""
OFFERED_AGAIN_S = 30.0
"""What a fleet does not have is not asked for at each refresh: an upgrade shows within this."""
EXPLANATIONS_KEPT = 64

_ERROR = TypeAdapter(dict[str, dict[str, object]])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What is known. With `trouble`, `value` is what was read `age_s` ago, or None if nothing ever was."""

    value: T | None = None
    trouble: FleetTrouble | None = None
    age_s: float = 0.0


@dataclass(slots=True)
class _Cell:
    """What was read last of one resource. Its lock is held while it is asked for: others wait, and take that."""

    lock: Any = field(default_factory=Lock)
    reading: Reading[Any] = field(default_factory=Reading)
    tried_s: float = float("-inf")
    read_s: float = 0.0


class FleetClient:
    """One fleet. Thread-safe: each browser tab is a thread of its own.

    `get` is the wire and `now_s` a monotonic clock.
    """

    def __init__(
        self,
        connection: Connection,
        get: Callable[[Connection, str], Answer] = http_get,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._get = get
        self._now_s = now_s
        self._lock = Lock()
        self._cells: dict[str, _Cell] = {}
        self._history = History()
        self._silent: Unreachable | None = None
        self._silent_s = float("-inf")
        self._explanations: OrderedDict[str, Explanation] = OrderedDict()

    def read(self, resource: Resource[T]) -> Reading[T]:
        """The newest of it. Never raises: trouble is part of the reading, and what was read before it is kept."""
        with self._lock:
            cell = self._cells.setdefault(resource.path, _Cell())
        with cell.lock:
            missing = isinstance(cell.reading.trouble, NotOffered)
            # Trouble is remembered as long as an answer: a fleet that is down is not asked by every tab in turn.
            if self._now_s() - cell.tried_s >= (OFFERED_AGAIN_S if missing else FRESH_S):
                cell.reading = self._read(resource, cell)
                cell.tried_s = self._now_s()
            age_s = self._now_s() - cell.read_s if cell.reading.value is not None else 0.0
            return cast("Reading[T]", replace(cell.reading, age_s=age_s))

    def forget(self) -> None:
        """Read everything anew: something was changed."""
        with self._lock:
            for cell in self._cells.values():
                cell.tried_s = float("-inf")

    def flows(self) -> Flows:
        with self._lock:
            return self._history.flows()

    def trend(self) -> tuple[TrendPoint, ...]:
        with self._lock:
            return self._history.trend()

    def explain(self, decision_id: str) -> Explanation:
        """Raises FleetTrouble if it cannot be had."""
        with self._lock:
            known = self._explanations.get(decision_id)
        if known is not None:
            return known
        explanation = self._ask(explanation_of(f"decisions/{quote(decision_id, safe='')}"))
        # One that is under way is not at its end: asked for again, it tells more.
        if not explanation.under_way:
            with self._lock:
                self._explanations[decision_id] = explanation
                while len(self._explanations) > EXPLANATIONS_KEPT:
                    self._explanations.popitem(last=False)
        return explanation

    def round(self, fence: str) -> tuple[RoundRecord, list[str]]:
        """One round, and the sites whose votes and effects are missing. Raises FleetTrouble if it cannot be had."""
        document = self._ask(document_of(f"rounds/{quote(fence, safe='')}"))
        try:
            record = parse_record(document)
        except DocumentInvalid as exc:
            raise FleetTrouble("This round cannot be read", f"{exc}. Run the page from the fleet's version.") from exc
        missing = document.get("unreachable")
        return record, [str(site) for site in missing] if isinstance(missing, list) else []

    def _read(self, resource: Resource[T], cell: _Cell) -> Reading[T]:
        if self._silent is not None and self._now_s() - self._silent_s < FRESH_S:
            return Reading(cell.reading.value, self._silent)
        try:
            value = self._ask(resource)
        except FleetTrouble as trouble:
            if isinstance(trouble, Unreachable):
                self._silent, self._silent_s = trouble, self._now_s()
            return Reading(cell.reading.value, trouble)
        cell.read_s = self._now_s()
        if resource is FLEET:
            with self._lock:
                self._history.add(cast("FleetStatus", value))
        return Reading(value)

    def _ask(self, resource: Resource[T]) -> T:
        answer = self._get(self._connection, resource.path)
        if answer.status != 200:
            raise _refusal(answer, self._connection.url, resource.name)
        try:
            return resource.kind.validate_json(answer.body)
        except ValidationError as exc:
            raise FleetTrouble(
                "The fleet's answer is not understood",
                f"What answers at {self._connection.url} is not a fleet API, or a much newer one: name a controller "
                "(http://127.0.0.1:8200 in the demo), and run the page from the same version.",
            ) from exc


def act(connection: Connection, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Change something, with the rights of this connection's token. Raises FleetTrouble with what the fleet said."""
    answer = http_post(connection, path, body)
    if answer.status not in {200, 201, 202, 204}:
        raise _refusal(answer, connection.url, "this")
    try:
        return document_of(path).kind.validate_json(answer.body)
    except ValidationError:
        return {}


def _refusal(answer: Answer, url: str, name: str) -> FleetTrouble:
    try:
        error = _ERROR.validate_json(answer.body)["error"]
        said, known = str(error["message"]), str(error.get("code"))
    except (ValidationError, KeyError):
        said, known = f"{url} answered {answer.status} without saying why; is it a controller?", ""
    if answer.status == 401:
        how = "Give the page the fleet's viewer token: the flag --token-file FILE, or EDGEMIND_FLEET_TOKEN."
        return FleetTrouble("The fleet does not accept this page's token", f"{how} The fleet says: {said}")
    if answer.status == 403:
        return FleetTrouble("The fleet does not allow this", f"The fleet says: {said}")
    # Anything else that is not found was found out by the fleet itself, such as a round that is not kept any more.
    if known in {"not_found", "method_not_allowed"}:
        return NotOffered("Not offered", f"This fleet does not tell {name}: its controllers are of another version.")
    if answer.status == 404:
        return FleetTrouble("The fleet does not have this", said)
    return FleetTrouble("The fleet cannot answer just now", said)
