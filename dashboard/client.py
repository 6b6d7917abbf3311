"""The one door to the fleet API: every browser tab shares what was read last, so ten of them ask no more than one."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from dashboard.connection import Connection
from dashboard.explanations import Explanation
from dashboard.history import Flows, History, TrendPoint
from dashboard.http_get import Answer, http_get
from dashboard.trouble import FleetTrouble
from edgemind.domain.fleet_status import DecisionPage, FleetStatus
from edgemind.domain.swarm.summaries import RoundPage

FRESH_S = 1.5
"""Less than the page's interval, so that a page alone gets something new at each refresh."""
DECISIONS_SHOWN = 20
ROUNDS_SHOWN = 6
EXPLANATIONS_KEPT = 64

_FLEET = TypeAdapter(FleetStatus)
_DECISIONS = TypeAdapter(DecisionPage)
_ROUNDS = TypeAdapter(RoundPage)
_EXPLANATION = TypeAdapter(Explanation)
_ERROR = TypeAdapter(dict[str, dict[str, object]])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of the fleet. With `trouble`, `fleet` is what was read `age_s` ago, or None if nothing ever was."""

    fleet: FleetStatus | None = None
    decisions: DecisionPage = field(default_factory=lambda: DecisionPage([]))
    rounds: RoundPage = field(default_factory=lambda: RoundPage([]))
    flows: Flows = field(default_factory=Flows)
    trend: tuple[TrendPoint, ...] = ()
    trouble: FleetTrouble | None = None
    age_s: float = 0.0


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
        self._history = History()
        self._reading = Reading()
        self._tried_s: float | None = None
        self._read_s = 0.0
        self._explanations: OrderedDict[str, Explanation] = OrderedDict()

    def read(self) -> Reading:
        """The fleet of now. Never raises: trouble is part of the reading, and what was read before it is kept."""
        with self._lock:
            # Trouble is remembered as long as an answer: a fleet that is down is not asked by every tab in turn.
            if self._tried_s is None or self._now_s() - self._tried_s >= FRESH_S:
                self._reading = self._read()
                self._tried_s = self._now_s()
            return replace(self._reading, age_s=self._now_s() - self._read_s if self._reading.fleet else 0.0)

    def explain(self, decision_id: str) -> Explanation:
        """Raises FleetTrouble if it cannot be had."""
        with self._lock:
            known = self._explanations.get(decision_id)
        if known is not None:
            return known
        explanation = self._ask(_EXPLANATION, f"decisions/{quote(decision_id, safe='')}")
        # One that is under way is not at its end: asked for again, it tells more.
        if not explanation.under_way:
            with self._lock:
                self._explanations[decision_id] = explanation
                while len(self._explanations) > EXPLANATIONS_KEPT:
                    self._explanations.popitem(last=False)
        return explanation

    def _read(self) -> Reading:
        try:
            fleet = self._ask(_FLEET, "fleet")
            decisions = self._ask(_DECISIONS, f"decisions?limit={DECISIONS_SHOWN}")
            rounds = self._rounds()
        except FleetTrouble as trouble:
            return replace(self._reading, trouble=trouble)
        self._history.add(fleet)
        self._read_s = self._now_s()
        return Reading(fleet, decisions, rounds, self._history.flows(), self._history.trend())

    def _rounds(self) -> RoundPage:
        path = f"rounds?limit={ROUNDS_SHOWN}"
        # A fleet of the version before has no rounds, and is none the worse to look at.
        return self._ask(_ROUNDS, path, absent=RoundPage([]))

    def _ask(self, kind: TypeAdapter[T], path: str, absent: T | None = None) -> T:
        """`absent` stands for what the fleet does not have."""
        answer = self._get(self._connection, path)
        if answer.status == 404 and absent is not None:
            return absent
        if answer.status != 200:
            raise _refusal(answer, self._connection.url)
        try:
            return kind.validate_json(answer.body)
        except ValidationError as exc:
            raise FleetTrouble(
                "The fleet's answer is not understood",
                f"What answers at {self._connection.url} is not a fleet API, or a much newer one: name a controller "
                "(http://127.0.0.1:8200 in the demo), and run the page from the same version.",
            ) from exc


def _refusal(answer: Answer, url: str) -> FleetTrouble:
    try:
        said = str(_ERROR.validate_json(answer.body)["error"]["message"])
    except (ValidationError, KeyError):
        said = f"{url} answered {answer.status} without saying why; is it a controller?"
    if answer.status in {401, 403}:
        how = "Give the page the fleet's viewer token: the flag --token-file FILE, or EDGEMIND_FLEET_TOKEN."
        return FleetTrouble("The fleet does not accept this page's token", f"{how} The fleet says: {said}")
    if answer.status == 404:
        return FleetTrouble("The fleet does not have this", said)
    return FleetTrouble("The fleet cannot answer just now", said)
