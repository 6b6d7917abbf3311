"""What every audit journal promises, and what the files on a disk hold beyond it."""

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.audit_journal import erasing
from edgemind.adapters.audit_journal.anchoring import Anchoring
from edgemind.adapters.audit_journal.folder import ASIDE, Line, find_decision, index_path, records, segments
from edgemind.adapters.audit_journal.memory import MemoryAuditJournal
from edgemind.adapters.audit_journal.reading import JournalFiles, read_anchor_file
from edgemind.adapters.audit_journal.segment_log import KeepRules, SegmentLog
from edgemind.adapters.audit_journal.segments import ERASE_TIMEOUT_S, LOSS_TOLD_S, SegmentJournal
from edgemind.adapters.state_store.durable_files import replace_durably
from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.domain.audit.chain import read_line
from edgemind.domain.audit.checkpoints import Checkpoint, checkpoint_document
from edgemind.domain.audit.verification import FlawKind, Verified
from edgemind.errors import PermanentError, StoreUnavailable
from edgemind.ports.audit_journal import SiteAudit
from edgemind.services.audit.verify_journal import anchors_of, verify_journal
from tests.support.audit_journals import KEYS, NOW_MS, RULES, action, decision, entries, entropy, open_log
from tests.support.clocks import ManualClock

SITE = "site-a"
SEEDS = count()
LIMIT = 2000


def segment_journal(
    directory: Path, store: MemoryStateStore | None = None, clock: ManualClock | None = None, file: Path | None = None
) -> SegmentJournal:
    clock = clock or ManualClock()
    files = SegmentLog(directory / SITE, SITE, KEYS, RULES, entropy(next(SEEDS)))
    anchoring = Anchoring(store or MemoryStateStore(), file, SITE, 5.0, clock)
    return SegmentJournal(directory / SITE, SITE, files, anchoring, clock)


ADAPTERS: dict[str, Callable[[Path], SiteAudit]] = {
    "memory": lambda _: MemoryAuditJournal(),
    "segments": segment_journal,
}


@pytest.fixture(params=ADAPTERS)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SiteAudit]:
    made = ADAPTERS[request.param](tmp_path)
    yield made
    made.close()


def settled(journal: SiteAudit) -> SiteAudit:
    """Whoever erases waits until what was recorded before is written."""
    journal.erase("tenant:nobody", "test")
    return journal


def test_a_decision_is_found_with_its_personal_part(journal: SiteAudit) -> None:
    for entry in entries(50):
        journal.record(entry)
    settled(journal)
    found = journal.find_decision(str(decision(7).body["id"]))
    assert found is not None
    assert found["ran"] == {"site-a": ["de", "eu"]}
    assert found["personal"] == {"tenant": "acme", "n": 1.0}
    assert journal.find_decision("dec-site-a-0-ffffffffffffffff") is None
    assert journal.status.ok
    assert journal.status.records >= 50


def test_a_subject_is_erased_and_nothing_else_is(journal: SiteAudit) -> None:
    journal.record(decision(1, "tenant:acme/session:5f"))
    journal.record(decision(2, "tenant:acme"))
    journal.record(decision(3, "tenant:other"))
    assert journal.erase("session:5f", "fleet.tokens.admin") == 1
    assert journal.erase("tenant:acme", "fleet.tokens.admin") in {1, 2}
    for number, kept in ((1, False), (2, False), (3, True)):
        found = journal.find_decision(str(decision(number).body["id"]))
        assert found is not None
        assert (found["personal"] is not None) is kept
        assert found["residency"] == ["de"]


def test_losses_of_gateways_are_counted(journal: SiteAudit) -> None:
    journal.lost(tagged=2, sampled=3)
    assert (journal.status.dropped, journal.status.lost_tagged) == (5, 2)


# What only files go through


def verified(directory: Path, anchors: list[Checkpoint] | None = None, site: str = SITE) -> Verified:
    return verify_journal(JournalFiles(directory), site, anchors or [], KEYS)


def test_a_closed_journal_is_whole_anchored_and_private(tmp_path: Path) -> None:
    store = MemoryStateStore()
    journal = segment_journal(tmp_path, store, file=tmp_path / "anchors.jsonl")
    for entry in entries(100):
        journal.record(entry)
    journal.lost(tagged=1, sampled=0)
    journal.close()
    told = verified(tmp_path, list(store.audit_anchors()))
    assert (told.flaw, told.anchored, told.lost_tagged) == (None, told.last, 1)
    assert told.kinds == {"journal": 2, "decision": 66, "admin_action": 34}
    assert read_anchor_file(tmp_path / "anchors.jsonl").checkpoints == list(store.audit_anchors())
    assert len(segments(tmp_path / SITE)) > 1
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / SITE).iterdir()} == {0o600}


def anchored_to(file: Path, directory: Path) -> None:
    journal = segment_journal(directory, file=file)
    journal.record(decision(1))
    journal.close()


def test_a_torn_row_of_the_anchor_file_is_left_aside_and_told(tmp_path: Path) -> None:
    file = tmp_path / "anchors.jsonl"
    anchored_to(file, tmp_path / "one")
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:100])
    assert (len(read_anchor_file(file).checkpoints), read_anchor_file(file).damaged) == (1, [])
    anchored_to(file, tmp_path / "two")
    anchored_to(file, tmp_path / "three")
    found = read_anchor_file(file)
    assert [one.sequence for one in found.checkpoints] == [2, 2, 2]
    assert [place.partition(" ")[0] for place in found.damaged] == [f"{file}:2"]
    assert file.read_bytes().count(b"\n") == 4


def test_a_row_of_the_anchor_file_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, write = tmp_path / "anchors.jsonl", os.write

    def some(descriptor: int, data: Any) -> int:
        return write(descriptor, bytes(data)[:7])

    monkeypatch.setattr(os, "write", some)
    anchored_to(file, tmp_path)
    assert [one.sequence for one in read_anchor_file(file).checkpoints] == [2]


def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    store = MemoryStateStore()
    for number in range(3):
        journal = segment_journal(tmp_path, store)
        journal.record(decision(number))
        journal.close()
    told = verified(tmp_path, list(store.audit_anchors()))
    assert (told.flaw, told.records, told.kinds["journal"]) == (None, 6, 3)
    assert len(store.audit_anchors()) == 1


def test_one_process_writes(tmp_path: Path) -> None:
    first = open_log(tmp_path / SITE)
    with pytest.raises(StoreUnavailable, match="another process writes the journal"):
        open_log(tmp_path / SITE)
    first.close()
    open_log(tmp_path / SITE).close()


def test_a_torn_line_is_cut_off_and_the_chain_goes_on(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    log.append(entries(5))
    log.close()
    last = segments(tmp_path / SITE)[-1]
    with last.open("ab") as stream:
        stream.write(b'{"at_ms":17000')
    assert verified(tmp_path).torn_bytes == 14
    again = open_log(tmp_path / SITE)
    assert (again.torn, again.unfit) == (14, None)
    again.append(entries(3))
    again.close()
    told = verified(tmp_path)
    assert (told.flaw, told.records, told.torn_bytes) == (None, 8, 0)


def test_a_torn_first_line_of_a_segment_is_cut_off_too(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    log.append(entries(20))
    log.close()
    (tmp_path / SITE / f"{21:016d}.jsonl").write_bytes(b'{"at')
    again = open_log(tmp_path / SITE)
    again.append(entries(1))
    again.close()
    told = verified(tmp_path)
    assert (again.unfit, told.flaw, told.records) == (None, None, 21)


@pytest.mark.parametrize("tamper", ["cut", "edit", "replace", "remove"])
def test_a_journal_that_does_not_fit_its_anchor_is_put_aside_and_told(tmp_path: Path, tamper: str) -> None:
    store, folder = MemoryStateStore(), tmp_path / SITE
    journal = segment_journal(tmp_path, store)
    for entry in entries(8):
        journal.record(entry)
    journal.close()
    last = segments(folder)[-1]
    if tamper == "cut":
        last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    elif tamper == "edit":
        last.write_bytes(last.read_bytes().replace(b"acme", b"emca", 1))
    else:
        for path in folder.iterdir():
            path.unlink()
    if tamper == "replace":
        other = open_log(folder, seed=99)
        other.append(entries(30))
        other.close()
    again = segment_journal(tmp_path, store)
    settled(again)
    assert not again.status.ok
    assert "does not fit what was anchored of it" in str(again.status.trouble)
    assert "edgemind audit accept --site site-a" in str(again.status.trouble)
    again.close()
    assert tamper == "remove" or (tmp_path / f"{SITE}{ASIDE}1").is_dir()
    chains = {one.chain for one in store.audit_anchors()}
    assert len(chains) == 2, "what was anchored stays, as evidence"
    told = verified(tmp_path, list(store.audit_anchors()))
    assert told.flaw is not None
    assert told.flaw.kind is FlawKind.REWRITTEN


def lost_disk(directory: Path) -> MemoryStateStore:
    """Of a journal that was anchored its end is cut off; its subject is tenant:acme."""
    store, folder = MemoryStateStore(), directory / SITE
    journal = segment_journal(directory, store)
    for entry in entries(8):
        journal.record(entry)
    journal.close()
    last = segments(folder)[-1]
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    return store


def test_the_journal_that_began_in_the_place_of_one_that_was_put_aside_goes_on(tmp_path: Path) -> None:
    store = lost_disk(tmp_path)
    for number in range(3):
        journal = segment_journal(tmp_path, store)
        journal.record(decision(number))
        settled(journal)
        assert "does not fit what was anchored of it" in str(journal.status.trouble)
        journal.close()
    assert [path.name for path in tmp_path.iterdir() if ASIDE in path.name] == [f"{SITE}{ASIDE}1"]
    started = [one.body["put_aside"] for one in records(tmp_path / SITE) if one.body.get("event") == "started"]
    assert [text is not None for text in started] == [True, False, False]
    own = next(records(tmp_path / SITE)).chain
    (before,) = [one for one in store.audit_anchors() if one.chain != own]
    store.remove_audit_anchor(SITE, before.chain)
    journal = segment_journal(tmp_path, store)
    settled(journal)
    assert journal.status.ok
    journal.close()
    told = verified(tmp_path, list(store.audit_anchors()))
    assert (told.flaw, told.kinds["decision"], told.anchored) == (None, 3, told.last)


def test_a_store_that_was_away_at_the_start_does_not_stop_the_successor_from_being_anchored(tmp_path: Path) -> None:
    store = lost_disk(tmp_path)
    segment_journal(tmp_path, store).close()
    away = Away()
    away.away = True
    for one in store.audit_anchors():
        away.put_audit_anchor(one)
    journal = segment_journal(tmp_path, away)
    settled(journal)
    away.away = False
    journal.close()
    assert "does not fit what was anchored of it" in str(journal.status.trouble)
    assert journal.status.anchored == journal.status.records


def test_erasing_and_keep_days_reach_what_was_put_aside(tmp_path: Path) -> None:
    store, aside = lost_disk(tmp_path), tmp_path / f"{SITE}{ASIDE}1"
    journal = segment_journal(tmp_path, store)
    assert journal.erase("tenant:acme", "test") == 4
    journal.close()
    content = b"".join(path.read_bytes() for path in aside.glob("*.jsonl"))
    assert content.count(b'"erased"') == 4
    assert b"tenant:acme" not in content
    (told,) = [one.body for one in records(tmp_path / SITE) if one.body.get("event") == "erased"]
    assert (told["records"], told["journal"]) == (4, aside.name)
    log = open_log(tmp_path / SITE, KeepRules(4000, 1 << 30, 90.0))
    day_ms = 86_400_000
    newest_ms = max(path.stat().st_mtime for path in aside.glob("*.jsonl")) * 1000
    log.prune(int(newest_ms) + 89 * day_ms)
    assert aside.exists()
    log.prune(int(newest_ms) + 91 * day_ms)
    log.close()
    assert not aside.exists()
    assert {"event": "deleted", "journal": aside.name} in [one.body for one in records(tmp_path / SITE)]


def test_what_was_put_aside_and_is_damaged_where_a_subject_is_named_is_told(tmp_path: Path) -> None:
    store = lost_disk(tmp_path)
    (segment,) = (tmp_path / SITE).glob("*.jsonl")
    damaged = segment.read_bytes().replace(b'"residency":["de"]', b'"residency":["fr"]', 1) + b'{"open":"tenant:acme'
    segment.write_bytes(damaged)
    journal = segment_journal(tmp_path, store)
    journal.record(decision(100))
    with pytest.raises(PermanentError, match=r"4 records were erased, and site-a\.aside-1 is damaged"):
        journal.erase("tenant:acme", "test")
    journal.close()
    aside = tmp_path / f"{SITE}{ASIDE}1" / segment.name
    assert aside.read_bytes().count(b"tenant:acme") == 2
    assert aside.read_bytes().endswith(b'"tenant:acme')
    assert b"tenant:acme" not in b"".join(path.read_bytes() for path in segments(tmp_path / SITE))


class Away(MemoryStateStore):
    away = False

    def audit_anchors(self) -> list[Checkpoint]:
        if self.away:
            raise StoreUnavailable("the store is away")
        return list(super().audit_anchors())


def test_a_store_that_is_away_at_the_start_is_asked_before_anything_is_anchored(tmp_path: Path) -> None:
    store, folder, clock = Away(), tmp_path / SITE, ManualClock()
    first = segment_journal(tmp_path, store, clock)
    for entry in entries(8):
        first.record(entry)
    first.close()
    before = store.audit_anchors()
    last = segments(folder)[-1]
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    store.away = True
    again = segment_journal(tmp_path, store, clock)
    settled(again)
    store.away = False
    again.close()
    assert "record 9 is not the one that was anchored" in str(again.status.trouble)
    assert store.audit_anchors() == before


def test_pruning_leaves_a_signed_base_behind_which_the_rest_verifies(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE, KeepRules(4000, 20_000, 90.0))
    for _ in range(20):
        log.append(entries(10))
    anchors = [log.checkpoint(NOW_MS)]
    assert log.prune(NOW_MS) > 0
    assert log.prune(NOW_MS) == 0
    log.close()
    told = verified(tmp_path, anchors)
    assert told.flaw is None
    assert told.first > 100
    assert sum(path.stat().st_size for path in segments(tmp_path / SITE)) <= 24_000
    (tmp_path / SITE / "base.json").unlink()
    flaw = verified(tmp_path, anchors).flaw
    assert flaw is not None
    assert (flaw.kind, flaw.sequence) == (FlawKind.CUT, 1)


@pytest.mark.parametrize("kept", [2, 0])
@pytest.mark.parametrize("knows_the_secret", [False, True])
def test_an_anchor_does_not_pass_for_the_base_of_a_journal_whose_head_or_whole_is_gone(
    tmp_path: Path, kept: int, knows_the_secret: bool
) -> None:
    store, folder = MemoryStateStore(), tmp_path / SITE
    log = open_log(folder)
    for _ in range(5):
        log.append(entries(10))
    store.put_audit_anchor(log.checkpoint(NOW_MS))
    log.close()
    found = segments(folder)
    gone = found[: len(found) - kept]
    last = read_line(gone[-1].read_bytes().splitlines()[-1])
    base = KEYS.signed(Checkpoint(SITE, last.chain, last.sequence, last.hash, NOW_MS, base=knows_the_secret))
    for path in gone:
        path.unlink()
    (folder / "base.json").write_text(json.dumps(checkpoint_document(base)))
    flaw = verified(tmp_path, list(store.audit_anchors())).flaw
    assert flaw is not None
    assert flaw.kind is (FlawKind.CUT if knows_the_secret else FlawKind.FORGED)
    again = segment_journal(tmp_path, store)
    settled(again)
    assert "its beginning was removed" in str(again.status.trouble)
    again.close()
    later = open_log(folder)
    later.prune(round(time.time() * 1000))
    later.close()
    assert (tmp_path / f"{SITE}{ASIDE}1" / "base.json").exists()


def test_a_pruned_journal_goes_on_after_a_restart(tmp_path: Path) -> None:
    rules = KeepRules(4000, 20_000, 90.0)
    log = open_log(tmp_path / SITE, rules)
    for _ in range(20):
        log.append(entries(10))
    assert log.prune(NOW_MS) > 0
    log.append(entries(30))
    log.close()
    again = open_log(tmp_path / SITE, rules)
    assert again.unfit is None
    again.append(entries(1))
    again.close()
    assert verified(tmp_path).flaw is None


def test_old_segments_are_pruned_by_age_and_a_death_amid_it_leaves_a_good_journal(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    for _ in range(5):
        log.append(entries(10))
    found = segments(tmp_path / SITE)
    for path in found[:3]:
        os.utime(path, (1, 1))
    log._delete = lambda paths: None  # type: ignore[method-assign]
    assert log.prune(int(found[-1].stat().st_mtime * 1000)) == int(found[3].stem) - 1
    log.close()
    assert found[0].exists()
    assert segments(tmp_path / SITE)[0] == found[3]
    assert verified(tmp_path).flaw is None


def test_erasing_keeps_every_chain_verifiable_also_after_pruning(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    for number in range(60):
        log.append([decision(number, "tenant:acme" if number % 2 else "tenant:other")])
    anchors = [log.checkpoint(NOW_MS)]
    assert log.erase("tenant:acme", "test", NOW_MS) == 30
    content = b"".join(path.read_bytes() for path in segments(tmp_path / SITE))
    assert b"tenant:acme" not in content
    told = verified(tmp_path, anchors)
    assert (told.flaw, told.erased) == (None, 30)
    found = find_decision(tmp_path / SITE, str(decision(41).body["id"]))
    assert found is not None
    assert found.erased_by is not None
    assert log.erase("tenant:acme", "test", NOW_MS) == 0
    assert log.erase("tenant:other", "test", NOW_MS) == 30
    os.utime(segments(tmp_path / SITE)[0], (1, 1))
    assert log.prune(NOW_MS) > 0
    log.close()
    told = verified(tmp_path, anchors)
    assert told.flaw is None
    assert 0 < told.erased < 60


class ChangedMeanwhile(JournalFiles):
    """A journal in which something happens after so many lines were read, once or at each reading."""

    def __init__(self, directory: Path, after: int, happens: Iterator[Callable[[], object]]) -> None:
        super().__init__(directory)
        self._after = after
        self._happens = happens

    def lines(self, site: str) -> Iterator[Line]:
        for number, line in enumerate(super().lines(site)):
            if number == self._after:
                next(self._happens, lambda: None)()
            yield line


def test_a_journal_that_is_erased_or_pruned_in_while_it_is_verified_is_read_again(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    for number in range(60):
        log.append([decision(number, "tenant:acme" if number % 2 else "tenant:other")])

    def prune() -> None:
        for path in segments(tmp_path / SITE)[:2]:
            os.utime(path, (1, 1))
        assert log.prune(NOW_MS) > 0

    happening: list[Callable[[], object]] = [
        partial(log.erase, "tenant:other", "test", NOW_MS), partial(log.erase, "tenant:acme", "test", NOW_MS), prune
    ]  # fmt: skip
    for happens in happening:
        files = ChangedMeanwhile(tmp_path, 1, iter([happens]))
        told = verify_journal(files, SITE, [], KEYS)
        assert told.flaw is None
    assert (told.first > 1, told.erased) == (True, told.kinds["decision"])
    second = segments(tmp_path / SITE)[1]
    second.write_bytes(second.read_bytes().replace(b'{"erased":"', b'{"erased":"x', 1))
    note = partial(log.append, [action(1)] * 20)
    told = verify_journal(ChangedMeanwhile(tmp_path, 1, repeat(note)), SITE, [], KEYS)
    log.close()
    assert told.flaw is not None
    assert told.flaw.kind is FlawKind.WIPED


def test_an_erasure_that_a_full_disk_cut_short_is_done_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(tmp_path / SITE)
    for number in range(60):
        log.append([decision(number)])
    calls = count()

    def full_at_the_second(path: Path, content: bytes) -> None:
        if next(calls) == 2:
            raise StoreUnavailable("No space left on device")
        replace_durably(path, content)

    monkeypatch.setattr(erasing, "replace_durably", full_at_the_second)
    with pytest.raises(StoreUnavailable):
        log.erase("tenant:acme", "test", NOW_MS)
    done = verified(tmp_path).erased
    assert 0 < done < 60
    assert log.erase("tenant:acme", "test", NOW_MS) == 60 - done
    told = verified(tmp_path)
    log.close()
    assert (told.flaw, told.erased) == (None, 60)


def test_an_erasure_that_nobody_waits_for_any_more_goes_on_if_it_began_and_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = segment_journal(tmp_path)
    begun, go_on, keys = threading.Event(), threading.Event(), []

    class Impatient(Future[int]):
        def result(self, timeout: float | None = None) -> int:
            assert timeout == ERASE_TIMEOUT_S
            assert begun.wait(20)
            return super().result(0)

    def slow(key: str, *_: object) -> int:
        keys.append(key)
        begun.set()
        go_on.wait()
        return 0

    monkeypatch.setattr("edgemind.adapters.audit_journal.segments.Future", Impatient)
    monkeypatch.setattr(SegmentLog, "erase", lambda _, *told: slow(*told))
    with pytest.raises(StoreUnavailable, match=r"is still at it after 300 s, and goes on"):
        journal.erase("tenant:acme", "test")
    with pytest.raises(StoreUnavailable, match=r"did not get to it within 300 s"):
        journal.erase("tenant:other", "test")
    go_on.set()
    journal.close()
    assert keys == ["tenant:acme"]


def test_an_index_that_is_gone_or_stale_is_done_without(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    log.append(entries(40))
    log.close()
    wanted = str(decision(10).body["id"])
    files = JournalFiles(tmp_path)
    (segment,) = segments(tmp_path / SITE)
    index = index_path(segment).read_bytes()
    stale = b"".join(index[k : k + 8] + b"\0\0\0\0\0\0\0\7" for k in range(0, len(index), 16))
    for content in (index, stale, None):
        index_path(segment).unlink() if content is None else index_path(segment).write_bytes(content)
        found = files.find_decision(SITE, wanted)
        assert found is not None
        assert found.body["id"] == wanted


def test_an_erasure_makes_an_index_anew_that_is_gone(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    log.append(entries(40))
    log.close()
    (segment,) = segments(tmp_path / SITE)
    good = index_path(segment).read_bytes()
    again = open_log(tmp_path / SITE)
    index_path(segment).unlink()
    again.erase("tenant:acme", "test", NOW_MS)
    again.close()
    assert len(index_path(segment).read_bytes()) == len(good)
    found = find_decision(tmp_path / SITE, str(decision(10).body["id"]))
    assert found is not None
    assert found.erased_by is not None


def test_a_full_disk_is_told_once_counts_drops_and_loses_nothing_that_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, full, refused = os.write, threading.Event(), threading.Semaphore(0)

    def half(descriptor: int, data: Any) -> int:
        if not full.is_set() or len(data) < 100:
            return write(descriptor, data)
        if len(data) < 400:
            refused.release()
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, bytes(data)[: len(data) // 2])

    store = MemoryStateStore()
    monkeypatch.setattr("edgemind.adapters.audit_journal.segments.RETRY_S", 0.01)
    monkeypatch.setattr("edgemind.adapters.audit_journal.segments.WAITING_LIMIT", LIMIT)
    journal = segment_journal(tmp_path, store)
    settled(journal)
    monkeypatch.setattr(os, "write", half)
    full.set()
    for number in range(LIMIT + 50):
        journal.record(action(number))
    assert refused.acquire(timeout=20)
    assert refused.acquire(timeout=20)
    status = journal.status
    assert (status.ok, status.dropped > 0) == (False, True)
    assert "No space left on device. Free some space" in str(status.trouble)
    full.clear()
    journal.close()
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("cannot keep up") == 1
    told = verified(tmp_path, list(store.audit_anchors()))
    assert told.flaw is None
    assert told.dropped == status.dropped
    assert told.kinds["admin_action"] == LIMIT + 50 - status.dropped


def test_decisions_with_a_residency_that_a_full_queue_drops_are_counted_as_such_and_told_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edgemind.adapters.audit_journal.segments.WAITING_LIMIT", 0)
    store, clock = MemoryStateStore(), ManualClock()
    journal = segment_journal(tmp_path, store, clock)
    for number in range(3):
        journal.record(decision(number))
    journal.record(decision(3, residency=[]))
    journal.record(action(4))
    settled(journal)
    status = journal.status
    assert (status.dropped, status.lost_tagged, status.ok) == (5, 3, False)
    assert "more is to be written than its disk takes" in str(status.trouble)
    clock.advance(LOSS_TOLD_S)
    assert (journal.status.ok, journal.status.dropped) == (True, 5)
    journal.lost(tagged=0, sampled=1)
    assert (journal.status.ok, journal.status.dropped) == (True, 6)
    journal.lost(tagged=1, sampled=0)
    assert (journal.status.ok, journal.status.dropped) == (False, 7)
    journal.close()
    told = verified(tmp_path, list(store.audit_anchors()))
    assert (told.flaw, told.dropped, told.lost_tagged) == (None, 2, 4)
    assert caplog.text.count("cannot keep up") == 1


def test_a_place_that_cannot_be_used_costs_only_the_journal(tmp_path: Path) -> None:
    (tmp_path / SITE).write_text("a file in the way")
    journal = segment_journal(tmp_path)
    journal.record(action(1))
    with pytest.raises(StoreUnavailable):
        journal.find_decision("dec-x") or settled(journal)
    journal.close()
    assert not journal.status.ok


def test_a_folder_that_is_one_journal_is_read_as_such(tmp_path: Path) -> None:
    log = open_log(tmp_path / SITE)
    log.append(entries(5))
    log.close()
    alone = JournalFiles(tmp_path / SITE)
    assert alone.sites() == [SITE]
    assert len(list(alone.records(SITE))) == len(list(records(tmp_path / SITE))) == 5
    assert anchors_of([], SITE) == []
    (tmp_path / SITE).rename(tmp_path / f"{SITE}{ASIDE}3")
    assert JournalFiles(tmp_path).aside(SITE) == [f"{SITE}{ASIDE}3"]
    assert JournalFiles(tmp_path / f"{SITE}{ASIDE}3").sites() == [SITE]
