"""Every way to tamper with a journal, and what is said about it."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind.domain.audit.chain import chained, erased, read_line
from edgemind.domain.audit.checkpoints import Checkpoint, CheckpointKeys, checkpoint_document, parse_checkpoint
from edgemind.domain.audit.encoding import canonical
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.audit.erasures import Erasure, erasure_body
from edgemind.domain.audit.residency import ResidencyProof
from edgemind.domain.audit.verification import FlawKind, Verification, Verified
from edgemind.domain.wire import DocumentInvalid
from tests.support.audit_journals import KEYS, NOW_MS, anchor, chain_of, decision, entries

LINES, END = chain_of(entries(20))
ANCHOR = anchor(END)


def verified(
    lines: Sequence[bytes],
    anchors: Sequence[Checkpoint] = (ANCHOR,),
    base: Checkpoint | None = None,
    keys: CheckpointKeys = KEYS,
    torn: int = 0,
) -> Verified:
    fold = Verification("site-a", base, anchors, keys)
    for number, line in enumerate(lines, 1):
        if not fold.take(line, f"line {number}"):
            break
    return fold.finish(torn)


def found(told: Verified) -> tuple[FlawKind, int] | None:
    return None if told.flaw is None else (told.flaw.kind, told.flaw.sequence)


def upto(number: int) -> Checkpoint:
    return anchor(read_line(LINES[number - 1]).end)


def test_a_good_journal_is_good() -> None:
    told = verified(LINES)
    assert found(told) is None
    assert (told.records, told.first, told.last, told.anchored, told.signed) == (20, 1, 20, 20, True)
    assert (told.from_ms, told.to_ms) == (NOW_MS, NOW_MS + 19)
    assert told.kinds == {"decision": 13, "admin_action": 7}


def test_records_behind_the_anchor_are_fine_and_so_is_an_empty_journal() -> None:
    assert found(verified(LINES, [upto(3), upto(12)])) is None
    assert found(verified([], [])) is None


@settings(max_examples=50)
@given(st.integers(0, 19), st.data())
def test_any_edit_anywhere_is_found_at_its_record(number: int, data: st.DataObject) -> None:
    line = LINES[number]
    at, byte = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 255))
    edited = line[:at] + bytes([byte]) + line[at + 1 :]
    told = verified([*LINES[:number], edited, *LINES[number + 1 :]])
    assert found(told) == (None if edited == line else (FlawKind.EDITED, number + 1))


@settings(max_examples=50)
@given(st.integers(0, 18))
def test_a_record_written_anew_with_a_good_hash_is_found_where_the_next_one_follows(number: int) -> None:
    told_entries = entries(20)
    told_entries[number] = replace(told_entries[number], body={"action": "nothing happened"})
    forged = chain_of(told_entries)[0][number]
    told = verified([*LINES[:number], forged, *LINES[number + 1 :]])
    assert found(told) == (FlawKind.EDITED, number + 2)


@settings(max_examples=50)
@given(st.integers(0, 18), st.integers(1, 5))
def test_records_that_are_cut_out_are_named(first: int, many: int) -> None:
    rest = LINES[first + many :]
    told = verified([*LINES[:first], *rest])
    assert found(told) == ((FlawKind.CUT if rest else FlawKind.CUT_TAIL), first + 1)


@settings(max_examples=50)
@given(st.permutations(range(20)))
def test_any_other_order_is_found(order: Sequence[int]) -> None:
    told = verified([LINES[k] for k in order])
    if list(order) == list(range(20)):
        assert told.flaw is None
        return
    assert told.flaw is not None
    first = next(place for place, k in enumerate(order) if k != place)
    assert (told.flaw.kind, told.flaw.sequence) == (FlawKind.REORDERED, first + 1)


def test_a_record_that_stands_twice_is_found() -> None:
    assert found(verified([*LINES[:5], LINES[4], *LINES[5:]])) == (FlawKind.REORDERED, 5)


@settings(max_examples=50)
@given(st.integers(0, 19))
def test_a_tail_that_was_cut_is_found_by_the_anchor(kept: int) -> None:
    assert found(verified(LINES[:kept])) == (FlawKind.CUT_TAIL, kept + 1)
    assert found(verified(LINES[:kept], [upto(kept)] if kept else [])) is None


def test_a_chain_written_anew_fits_itself_and_not_its_anchor() -> None:
    told_entries = entries(20)
    told_entries[10] = replace(told_entries[10], body={"action": "nothing happened"})
    forged, _ = chain_of(told_entries)
    assert found(verified(forged, [])) is None
    assert found(verified(forged)) == (FlawKind.REWRITTEN, 20)
    told = verified(forged, [upto(5), upto(10), upto(15), ANCHOR])
    assert found(told) == (FlawKind.REWRITTEN, 15)
    assert told.flaw is not None
    assert "after 10" in told.flaw.why
    longer, _ = chain_of([*told_entries, *entries(5)])
    assert found(verified(longer)) == (FlawKind.REWRITTEN, 20)


def test_another_journal_in_the_place_of_the_one_that_was_anchored_is_found() -> None:
    other, _ = chain_of(entries(30), chain="another")
    told = verified(other)
    assert found(told) == (FlawKind.REWRITTEN, 1)
    assert told.flaw is not None
    assert "journal c0ffee was anchored for this site, with 20 records" in told.flaw.why


def test_records_of_another_site_or_journal_are_foreign() -> None:
    other, _ = chain_of(entries(20), site="site-b")
    assert found(verified(other, [])) == (FlawKind.FOREIGN, 1)
    assert found(verified([*LINES[:4], *other[4:]])) == (FlawKind.FOREIGN, 5)
    another, _ = chain_of(entries(20), chain="another")
    assert found(verified([*LINES[:4], *another[4:]])) == (FlawKind.FOREIGN, 5)


def pruned(through: int) -> bytes:
    """What pruning writes behind the end."""
    note = AuditEntry(EntryKind.JOURNAL, NOW_MS, "site-a", {"event": "pruned", "through": through, "records": through})
    return chained(END, note, bytes(16))[0][:-1]


def base(number: int, keys: CheckpointKeys = KEYS) -> Checkpoint:
    return keys.signed(replace(upto(number), base=True))


def test_a_head_may_be_pruned_with_a_signed_base_and_not_without() -> None:
    rest = [*LINES[8:], pruned(8)]
    told = verified(rest, base=base(8))
    assert (found(told), told.first, told.records) == (None, 9, 13)
    assert found(verified(rest, [upto(3), ANCHOR], base=base(8))) is None
    assert found(verified(rest)) == (FlawKind.CUT, 1)
    assert found(verified(rest[1:], base=base(8))) == (FlawKind.CUT, 9)
    assert found(verified([], [ANCHOR], base=base(8))) == (FlawKind.CUT_TAIL, 9)


def test_an_anchor_does_not_pass_for_a_base() -> None:
    rest = [*LINES[8:], pruned(8)]
    assert found(verified(rest, base=upto(8))) == (FlawKind.FORGED, 8)
    assert found(verified(rest, base=replace(upto(8), base=True))) == (FlawKind.FORGED, 8)
    assert found(verified(LINES, [base(8), ANCHOR])) == (FlawKind.FORGED, 8)
    unchecked = CheckpointKeys(())
    assert found(verified(rest, base=upto(8), keys=unchecked)) == (FlawKind.FORGED, 8)


@pytest.mark.parametrize("signer", [KEYS, CheckpointKeys(())])
def test_a_base_proves_nothing_without_the_record_of_its_pruning(signer: CheckpointKeys) -> None:
    head_cut = verified(LINES[8:], base=base(8, signer), keys=signer)
    assert found(head_cut) == (FlawKind.CUT, 1)
    more_than_was_pruned = verified([*LINES[12:], pruned(8)], base=base(12, signer), keys=signer)
    assert found(more_than_was_pruned) == (FlawKind.CUT, 9)
    everything = verified([], base=base(20, signer), keys=signer)
    assert found(everything) == (FlawKind.CUT, 1)


def test_checkpoints_that_the_fleet_did_not_sign_are_forged() -> None:
    mine = CheckpointKeys(("my own secret",))
    assert found(verified([*LINES[8:], pruned(8)], base=base(8, mine))) == (FlawKind.FORGED, 8)
    assert found(verified(LINES, [replace(ANCHOR, at_ms=7)])) == (FlawKind.FORGED, 20)
    assert found(verified(LINES, [replace(ANCHOR, signature="")])) == (FlawKind.FORGED, 20)
    rotated = CheckpointKeys(("a new secret", "between-sites"))
    assert found(verified(LINES, keys=rotated)) is None
    told = verified(LINES, [replace(ANCHOR, at_ms=7)], keys=CheckpointKeys(()))
    assert (found(told), told.signed) == (None, False)


def test_a_torn_line_is_a_crash_unless_it_was_anchored() -> None:
    told = verified(LINES[:19], [upto(19)], torn=30)
    assert (found(told), told.torn_bytes) == (None, 30)
    assert found(verified(LINES[:19], torn=30)) == (FlawKind.CUT_TAIL, 20)


def test_a_persons_part_may_only_be_gone_with_an_erasure_on_record() -> None:
    erasure = Erasure()
    lines = list(LINES)
    for number in (1, 4):
        lines[number] = erased(lines[number], "e1")
        erasure.add(number + 1)
    assert found(verified(lines)) == (FlawKind.WIPED, 0)
    note = AuditEntry(EntryKind.JOURNAL, NOW_MS, "site-a", erasure_body("e1", erasure, "fleet.tokens.admin"))
    told_of, _ = chained(END, note, bytes(16))
    told = verified([*lines, told_of[:-1]])
    assert (found(told), told.erased) == (None, 2)
    lines[7] = erased(lines[7], "e1")
    assert found(verified([*lines, told_of[:-1]])) == (FlawKind.WIPED, 0)


@pytest.mark.parametrize("more", [{"subject": "tenant:mallory"}, {"body": {"tenant": "mallory"}}, {"salt": ""}])
def test_nothing_else_may_stand_where_a_persons_part_was(more: dict[str, object]) -> None:
    erasure = Erasure()
    erasure.add(2)
    note = AuditEntry(EntryKind.JOURNAL, NOW_MS, "site-a", erasure_body("e1", erasure, "fleet.tokens.admin"))
    lines = [*LINES, chained(END, note, bytes(16))[0][:-1]]
    lines[1] = erased(LINES[1], "e1").replace(b'{"erased":"e1"}', canonical({"erased": "e1", **more}))
    assert found(verified(lines)) == (FlawKind.EDITED, 2)


def test_a_checkpoint_survives_its_document() -> None:
    for one in (ANCHOR, base(8)):
        assert parse_checkpoint(json.loads(json.dumps({**checkpoint_document(one), "dropped": 3}))) == one
    with pytest.raises(DocumentInvalid, match=r"checkpoint\.v"):
        parse_checkpoint({**checkpoint_document(ANCHOR), "v": 2})
    assert CheckpointKeys(()).signed(ANCHOR).signature == ""


def test_the_residency_proof_counts_and_names() -> None:
    told = [
        decision(1),
        decision(2, ran={"site-b": ["fr", "eu"]}),
        decision(3, residency=["eu"], ran={"site-b": ["fr", "eu"], "site-c": ["us"]}),
        decision(4, ran={}),
        decision(5, residency=[], ran={"site-c": ["us"]}),
        decision(6, ran=None),
        *entries(1),
        decision(7, None, more=["x" * 8000] * 20),
    ]
    proof, german = ResidencyProof(), ResidencyProof("de")
    for line in chain_of(told)[0]:
        for one in (proof, german):
            one.take(read_line(line))
    assert (proof.tagged, proof.shed, proof.violating, proof.unreadable) == (5, 1, 2, 2)
    assert [(one.sequence, one.site) for one in proof.violations] == [(2, "site-b"), (3, "site-c")]
    assert (german.tagged, german.violating, german.unreadable) == (4, 1, 2)
    assert proof.ran == {"site-a": 1, "site-b": 2, "site-c": 1}
