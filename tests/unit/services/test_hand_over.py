"""Decisions on their way from a gateway worker into the journal: none is lost unseen, none comes twice."""

import json
from typing import Any

import pytest

from edgemind.adapters.audit_journal.memory import MemoryAuditJournal
from edgemind.domain.audit.handed_over import parse_handed_over
from edgemind.domain.audit.subjects import concerns, subject_key
from edgemind.domain.decision_ids import is_sampled
from edgemind.domain.requests import Constraints
from edgemind.domain.wire import Fields
from edgemind.services.audit.hand_over import (
    BATCH_LIMIT,
    EXPLAINED_LIMIT,
    UNFINISHED_MS,
    WAITING_LIMIT,
    DecisionsToKeep,
)
from edgemind.services.audit.keep_decisions import DecisionKeeper
from edgemind.services.recent_decisions import DecisionRecord
from tests.support.gateway_parts import endpoint, fleet, record, router, site

NOW_MS = 1_700_000_000_000
OF = router(fleet(site("site-a", endpoint()), site("site-b", endpoint(), gateway="http://b:1")))


def decided(number: int = 1, *residency: str, status: int = 200, **more: Any) -> DecisionRecord:
    one = record(OF, f"dec-site-a-0-{number:016x}")
    one.constraints = Constraints("m", frozenset(residency))
    one.chosen = one.candidates.members[0]
    one.status, one.actual_ms, one.attempts = status, 40.0, (("site-b", "refused"), ("site-a", "answered 200"))
    for name, value in more.items():
        setattr(one, name, value)
    return one


def feed(ratio: float = 0.0, enabled: bool = True) -> DecisionsToKeep:
    return DecisionsToKeep("run-1", "site-a", ratio, enabled=enabled)


def handed(batch: Any) -> Any:
    """Over the wire and back."""
    return parse_handed_over(Fields(json.loads(json.dumps(batch)), "journal"))


def test_a_tagged_decision_gets_into_the_journal_with_where_it_was_and_whose_it_is() -> None:
    to_keep, journal = feed(), MemoryAuditJournal()
    to_keep.offer(decided(1, "de", session=b"person 7"))
    to_keep.offer(decided(2))
    batch = to_keep.batch(NOW_MS)
    DecisionKeeper("site-a", journal).take(handed(batch))
    (entry,) = journal.entries
    zones = sorted(OF.candidates(Constraints("m")).members[0].site.zones)
    assert entry.body["residency"] == ["de"]
    assert entry.body["ran"] == {"site-b": zones, "site-a": zones}
    assert concerns(entry.subject, subject_key("session:person 7"))
    assert concerns(entry.subject, "tenant:demo")
    assert entry.personal is not None
    assert entry.personal["explanation"]["id"] == entry.body["id"]  # type: ignore[index]
    assert "person 7" not in repr(entry)


def test_a_batch_is_the_same_until_it_is_acknowledged_and_taken_once() -> None:
    to_keep, journal = feed(), MemoryAuditJournal()
    keeper = DecisionKeeper("site-a", journal)
    to_keep.offer(decided(1, "de"))
    first = to_keep.batch(NOW_MS)
    to_keep.offer(decided(2, "de"))
    assert to_keep.batch(NOW_MS) is first
    keeper.take(handed(first))
    told = keeper.take(handed(first))
    assert len(journal.entries) == 1
    to_keep.answered({"journaled": {"run": "run-1", "batch": 7}})
    assert to_keep.batch(NOW_MS) is first
    to_keep.answered({"journaled": told})
    keeper.take(handed(to_keep.batch(NOW_MS)))
    assert [entry.body["id"] for entry in journal.entries] == [decided(1).decision_id, decided(2).decision_id]


def test_a_controller_that_keeps_no_journal_is_not_sent_the_same_for_ever() -> None:
    to_keep = feed()
    to_keep.offer(decided(1, "de"))
    to_keep.batch(NOW_MS)
    to_keep.answered({"v": 1})
    assert to_keep.batch(NOW_MS) is None


def test_what_is_under_way_waits_and_what_takes_too_long_is_kept_as_it_stands() -> None:
    to_keep = feed()
    to_keep.offer(decided(1, "de", actual_ms=0.0))
    to_keep.offer(decided(2, "de"))
    batch = to_keep.batch(NOW_MS)
    assert batch is not None
    assert [one["id"][-1] for one in batch["decisions"]] == ["2"]
    to_keep.answered({})
    assert to_keep.batch(NOW_MS) is None
    batch = to_keep.batch(NOW_MS + UNFINISHED_MS + 1)
    assert batch is not None
    assert [one["id"][-1] for one in batch["decisions"]] == ["1"]


def test_at_the_end_everything_is_left_to_hand_over_until_it_is_acknowledged() -> None:
    to_keep = feed()
    to_keep.offer(decided(1, "de", actual_ms=0.0))
    to_keep.offer(decided(2, "de"))
    first = to_keep.batch(NOW_MS)
    assert first is not None
    assert (len(first["decisions"]), to_keep.left) == (1, 2)
    to_keep.answered({})
    assert to_keep.batch(NOW_MS) is None
    to_keep.end()
    last = to_keep.batch(NOW_MS)
    assert last is not None
    assert ([one["id"][-1] for one in last["decisions"]], to_keep.left) == (["1"], 1)
    to_keep.answered({"journaled": {"run": "run-1", "batch": 2}})
    assert (to_keep.left, to_keep.batch(NOW_MS)) == (0, None)


def test_what_was_lost_is_left_to_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.services.audit.hand_over.WAITING_LIMIT", 0)
    to_keep = feed()
    to_keep.offer(decided(1, "de"))
    assert to_keep.left == 1
    to_keep.batch(NOW_MS)
    assert to_keep.left == 1
    to_keep.answered({})
    assert to_keep.left == 0


def test_a_shed_request_ran_nowhere() -> None:
    to_keep = feed()
    to_keep.offer(decided(1, "de", chosen=None, attempts=(), status=503, actual_ms=0.0))
    batch = to_keep.batch(NOW_MS)
    assert batch is not None
    assert batch["decisions"][0]["ran"] == {}


def test_a_busy_worker_hands_over_everything_in_bounded_batches() -> None:
    to_keep, journal = feed(), MemoryAuditJournal()
    keeper = DecisionKeeper("site-a", journal)
    for number in range(3 * BATCH_LIMIT):
        to_keep.offer(decided(number, "de"))
    while (batch := to_keep.batch(NOW_MS)) is not None:
        assert len(batch["decisions"]) <= BATCH_LIMIT
        assert sum("explanation" in one["personal"] for one in batch["decisions"]) <= EXPLAINED_LIMIT
        to_keep.answered({"journaled": keeper.take(handed(batch))})
    assert len(journal.entries) == 3 * BATCH_LIMIT
    assert journal.status.dropped == 0


def test_losses_are_counted_by_kind_and_told_once() -> None:
    to_keep, journal = feed(ratio=1.0), MemoryAuditJournal()
    for number in range(WAITING_LIMIT):
        to_keep.offer(decided(number, actual_ms=0.0))
    for number in range(3):
        to_keep.offer(decided(number, "de"))
    to_keep.offer(decided(9))
    batch = to_keep.batch(NOW_MS)
    for _ in range(2):
        DecisionKeeper("site-a", journal).take(handed(batch)) if not journal.status.dropped else None
    assert (journal.status.dropped, journal.status.lost_tagged) == (4, 3)
    assert len(to_keep) == WAITING_LIMIT


def test_disabled_it_takes_nothing() -> None:
    to_keep = feed(ratio=1.0, enabled=False)
    to_keep.offer(decided(1, "de"))
    assert to_keep.batch(NOW_MS) is None


@pytest.mark.parametrize(("ratio", "share"), [(0.0, 0.0), (0.25, 0.25), (1.0, 1.0)])
def test_a_sample_is_of_its_size_and_the_same_everywhere(ratio: float, share: float) -> None:
    ids = [f"dec-site-a-0-{number * 2**54 + number * 2**22:016x}" for number in range(1024)]
    taken = [one for one in ids if is_sampled(one, ratio)]
    assert len(taken) == round(1024 * share)
    assert all(is_sampled(one, 1.0) for one in taken)
