"""Rounds to judge a change by, and a controller that takes advice, on a clock that a test moves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from starlette.applications import Starlette

from edgemind.adapters.advice_store.memory import MemoryAdviceStore
from edgemind.domain.advice.changes import PolicyChange, Verdict
from edgemind.domain.advice.guard_rails import Proposal, moves_of
from edgemind.domain.advice.settings import PolicyValues
from edgemind.domain.audit.entries import AuditEntry
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.domain.swarm.votes import View, Vote
from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.advice_routes import AdviceDesk, AdviceRoutes
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.memory_routes import MemoryRoutes
from edgemind.entrypoints.controller.route_sets import RouteSet
from edgemind.services.advice.follow_policy import PolicyFollower
from edgemind.services.advice.manage_advice import ManageAdvice, PolicySource
from edgemind.services.advice.recent_rounds import recent_rounds
from tests.support.asgi import AsgiAnswer, ask
from tests.support.clocks import ManualClock
from tests.support.controllers import Metro, metro, site
from tests.support.round_records import LOADS, SITES, round_record

STANDING = PolicyValues(SwarmPolicy(), Thresholds())
TOKENS = {Role.VIEWER: "look", Role.ADVISOR: "advise", Role.OPERATOR: "act", Role.ADMIN: "rule"}
HARMLESS = Verdict(True, "harmless in 5 rounds", 5)
CHURN = {"swarm.cooldown_ms": 2500.0}
"""Half the cooldown."""


def proposal(values: dict[str, float] | None = None, reason: str = "because", for_s: int = 3600) -> Proposal:
    return Proposal(values or {"swarm.hysteresis_ratio": 0.08}, reason, for_s)


def judged_round(
    number: int, since_change_ms: float | None = 60_000.0, loads: dict[str, SiteLoad] | None = None, **changes: Any
) -> RoundRecord:
    """Round 1.`number` as its coordinator keeps it, with every site's vote; all see the same loads."""
    record = round_record(number)
    seen = View(loads or LOADS, STANDING.swarm.voting, since_change_ms)
    votes = {name: Vote(record.fence, name, (), seen, "library", 0.4) for name in SITES}
    return replace(record, votes=votes, **changes)


def judged_rounds(count: int, **changes: Any) -> list[RoundRecord]:
    return [judged_round(number, **changes) for number in range(1, count + 1)]


def change(number: int = 1, **changes: Any) -> PolicyChange:
    wanted = proposal()
    made = PolicyChange(
        number, 0, moves_of(wanted, STANDING), wanted.reason, "advisor", 1000, wanted.for_s, 1000 + 3_600_000, HARMLESS
    )
    return replace(made, **changes)


class ListedAudit:
    """`AuditJournal` in a list."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    @property
    def told(self) -> list[tuple[object, object]]:
        return [(entry.body["what"], entry.body["by"]) for entry in self.entries]


@dataclass
class AdvisedController:
    """site-a's controller of three, whose journals hold `rounds`; `standing` is what its file says."""

    rounds: Sequence[RoundRecord] = ()
    standing: PolicyValues = STANDING
    auto_accept: bool = False
    store: MemoryAdviceStore = field(default_factory=MemoryAdviceStore)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.group = Metro(metro(*(site(name) for name in SITES)), clock=self.clock)
        for record in self.rounds:
            self.group.journals["site-a"].keep(record)
        self.group.rounds(1)
        self.audit = ListedAudit()
        self.follower = PolicyFollower(self.store, self.clock)
        controller = self.group.controllers["site-a"]
        source = PolicySource(lambda: self.standing, lambda: recent_rounds(controller.rounds), lambda: self.auto_accept)
        self.advice = ManageAdvice("site-a", self.store, source, self.clock, self.follower.known, self.audit)
        self.desk = AdviceDesk(self.advice, lambda: self.standing, self.clock)

    @cached_property
    def app(self) -> Starlette:
        rules = AccessRules(TOKENS, "between-sites")
        absent: Any = None
        # Memories are there to be refused: whoever may not write them gets no further.
        sets: list[RouteSet] = [AdviceRoutes(lambda: self.desk), MemoryRoutes(absent, absent)]
        return controller_app(lambda: self.group.controllers["site-a"], lambda: rules, None, sets)

    def ask(self, method: str, path: str = "", token: str = "act", body: object = None) -> AsgiAnswer:
        """`path` below /advice, or beside it after `/../`. Ten seconds pass: proposals in a row are not taken."""
        self.clock.advance(10)
        where = f"/edgemind/v1/{path[4:]}" if path.startswith("/../") else f"/edgemind/v1/advice{path}"
        headers = {"authorization": f"Bearer {token}"}
        if body is not None:
            headers["content-type"] = "application/json"
        sent = b"" if body is None else json.dumps(body).encode()
        return ask(self.app, method, where, headers, sent)

    def propose(self, values: dict[str, float], token: str = "advise", **more: Any) -> AsgiAnswer:
        wanted = [{"field": name, "to": value} for name, value in values.items()]
        return self.ask("POST", token=token, body={"changes": wanted, "reason": "because", **more})
