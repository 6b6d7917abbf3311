"""The gateway worker's side of the journal: which decisions are kept, and those on their way to the controller."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from edgemind.domain.audit.subjects import request_subject
from edgemind.domain.decision_ids import is_sampled
from edgemind.services.recent_decisions import DecisionRecord, explain, summarize

WAITING_LIMIT = 8192
"""With a controller that is away: some seconds of the busiest worker's tagged requests."""
BATCH_LIMIT = 500
EXPLAINED_LIMIT = 25
"""An explanation weighs ten times a summary. Of a busy worker's decisions the first of each report are explained."""
UNFINISHED_MS = 60_000
"""A request that is under way for longer is kept as it stands: a long stream, or one that was cut."""


class DecisionsToKeep:
    """Every decision with a residency, and a sample of the others. `offer` is on the path of every request.

    `run` tells this worker's process from others. Disabled, it takes nothing.
    """

    def __init__(self, run: str, ingress: str, sample_ratio: float, *, enabled: bool) -> None:
        self._run = run
        self._ingress = ingress
        self._ratio = sample_ratio
        self._enabled = enabled
        self._waiting: deque[DecisionRecord] = deque()
        self._batch = 0
        self._sent: dict[str, Any] | None = None
        self._ending = False
        self._lost_tagged = self._lost_sampled = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def left(self) -> int:
        """Decisions that the controller has not taken, and those lost that it does not know of."""
        sent = self._sent
        on_its_way = 0 if sent is None else len(sent["decisions"]) + sent["lost_tagged"] + sent["lost_sampled"]
        return len(self._waiting) + self._lost_tagged + self._lost_sampled + on_its_way

    def end(self) -> None:
        """Nothing is under way any more: what is not finished is kept as it stands."""
        self._ending = True

    def offer(self, record: DecisionRecord) -> None:
        tagged = record.constraints.residency
        if not self._enabled or not (tagged or is_sampled(record.decision_id, self._ratio)):
            return
        if len(self._waiting) < WAITING_LIMIT:
            self._waiting.append(record)
        elif tagged:
            self._lost_tagged += 1
        else:
            self._lost_sampled += 1

    def batch(self, now_ms: int) -> dict[str, Any] | None:
        """What the next report carries; the same again until it is acknowledged. None if there is nothing to say."""
        if self._sent is None:
            decisions = self._take(now_ms)
            if not decisions and not self._lost_tagged and not self._lost_sampled:
                return None
            self._batch += 1
            self._sent = {
                "run": self._run,
                "batch": self._batch,
                "decisions": decisions,
                "lost_tagged": self._lost_tagged,
                "lost_sampled": self._lost_sampled,
            }
            self._lost_tagged = self._lost_sampled = 0
        return self._sent

    def answered(self, answer: Mapping[str, Any]) -> None:
        """The controller's answer to a report with that batch. One that says nothing of it keeps no journal, or is of
        an older version: then nothing of the batch is kept."""
        told = answer.get("journaled")
        if self._sent is not None and (told is None or told.get("batch") == self._sent["batch"]):
            self._sent = None

    def _take(self, now_ms: int) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        under_way: list[DecisionRecord] = []
        while self._waiting and len(taken) < BATCH_LIMIT:
            record = self._waiting.popleft()
            if self._ending or _finished(record) or now_ms - record.at_ms > UNFINISHED_MS:
                taken.append(self._document(record, explained=len(taken) < EXPLAINED_LIMIT))
            else:
                under_way.append(record)
        self._waiting.extendleft(reversed(under_way))
        return taken

    def _document(self, record: DecisionRecord, *, explained: bool) -> dict[str, Any]:
        told = summarize(record)
        personal: dict[str, Any] = {
            "tenant": record.tenant, "predicted_ms": told["predicted_ms"], "actual_ms": told["actual_ms"],
        }  # fmt: skip
        if explained:
            personal["explanation"] = explain(record, self._ingress)
        return {
            "id": record.decision_id,
            "at_ms": record.at_ms,
            "model": record.constraints.model,
            "reason": record.reason,
            "status": record.status,
            "residency": sorted(record.constraints.residency),
            "ran": _ran(record),
            # Who forwarded a request knows whose it is; here nobody does.
            "subject": None if record.constraints.local_only else request_subject(record.tenant, record.session),
            "personal": personal,
        }


def _finished(record: DecisionRecord) -> bool:
    return record.actual_ms > 0.0 or record.status >= 400


def _ran(record: DecisionRecord) -> dict[str, list[str]]:
    """Every site that the request was sent to, with its zones: a try that failed was there, too."""
    zones = {one.site.name: sorted(one.site.zones) for one in (*record.candidates.members, *record.candidates.cloud)}
    names = [site for site, _ in record.attempts]
    if record.chosen is not None:
        zones.setdefault(record.chosen.site.name, sorted(record.chosen.site.zones))
        names.append(record.chosen.site.name)
    return {name: zones.get(name, []) for name in dict.fromkeys(names)}
