"""A line of the journal: what goes in comes out, and no byte of it is free."""

import json
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind.domain.audit.chain import LINE_LIMIT_BYTES, RecordDamaged, chained, erased, genesis, read_line
from edgemind.domain.audit.encoding import canonical, plain
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.audit.subjects import concerns, request_subject, session_key, subject_key
from edgemind.errors import ConfigurationError
from tests.support.audit_journals import chain_of, decision

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), JSON, max_size=4), st.text(min_size=1) | st.none())
def test_what_is_written_can_be_read(body: dict[str, object], subject: str | None) -> None:
    entry = AuditEntry(EntryKind.ROUND, 12, "site-a", body, subject, {"more": body})
    line, end = chained(genesis("site-a", "c"), entry, bytes(16))
    record = read_line(line.removesuffix(b"\n"))
    assert (record.body, record.sequence, record.end) == (body, 1, end)
    assert record.opened is not None
    assert record.opened["subject"] == subject


LINE = chain_of([decision(5)])[0][0]


@settings(max_examples=50)
@given(st.integers(0, len(LINE) - 1), st.integers(0, 255))
def test_any_changed_byte_is_found(at: int, byte: int) -> None:
    edited = LINE[:at] + bytes([byte]) + LINE[at + 1 :]
    if edited == LINE:
        assert read_line(edited).sequence == 1
        return
    with pytest.raises(RecordDamaged):
        read_line(edited)


@settings(max_examples=50)
@given(st.integers(0, len(LINE)), st.binary(min_size=1, max_size=3))
def test_any_inserted_byte_is_found(at: int, more: bytes) -> None:
    with pytest.raises(RecordDamaged):
        read_line(LINE[:at] + more + LINE[at:])


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"null", b"[" * 100_000, LINE[:-1], LINE.replace(b":1,", b":1.0,")]
)
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(RecordDamaged):
        read_line(line)


def test_an_erased_record_is_whole_and_holds_nothing_of_the_person() -> None:
    line = erased(LINE, "e1")
    record = read_line(line)
    assert (record.erased_by, record.hash) == ("e1", read_line(LINE).hash)
    assert b"acme" not in line
    with pytest.raises(RecordDamaged):
        read_line(line.replace(b'{"erased":"e1"}', b"null"))


def test_the_commitment_has_salt() -> None:
    first, second = (chained(genesis("a", "c"), decision(1), salt)[0] for salt in (bytes(16), b"\1" * 16))
    assert json.loads(first)["personal"] != json.loads(second)["personal"]


def test_what_is_too_long_is_kept_without_its_bulk_and_says_so() -> None:
    long = AuditEntry(EntryKind.DECISION, 1, "a", {"id": "x"}, "tenant:t", {"many": ["x" * 4000] * 60})
    record = read_line(chained(genesis("a", "c"), long, bytes(16))[0][:-1])
    assert record.body == {"id": "x"}
    assert record.opened is not None
    assert record.opened["body"]["left_out_bytes"] > LINE_LIMIT_BYTES
    assert record.opened["subject"] == "tenant:t"
    longer = AuditEntry(EntryKind.ROUND, 1, "a", {"many": ["x" * 4000] * 60})
    assert set(read_line(chained(genesis("a", "c"), longer, bytes(16))[0][:-1]).body) == {"left_out_bytes"}


class Colour(StrEnum):
    RED = "red"


def test_what_json_cannot_hold_is_kept_in_a_lesser_form() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    told = plain({"a": float("inf"), "b": {2, 1}, 3: Colour.RED, "c": object, "d": (1, True, None), "e": deep})
    assert isinstance(told, dict)
    assert (told["a"], told["b"], told["3"], told["d"]) == (None, ["1", "2"], "red", [1, True, None])
    assert canonical(told).startswith(b'{"3":"red","a":null')


def test_subjects() -> None:
    acme = request_subject("acme", b"person 7")
    assert concerns(acme, subject_key("session:person 7"))
    assert concerns(acme, subject_key("tenant:acme"))
    assert not concerns(acme, "tenant:acm")
    assert not concerns(None, "tenant:acme")
    assert not concerns(request_subject("acme", None), session_key(b"person 7"))
    for wrong in ("acme", "tenant:", "who:x", "tenant:a/b", ""):
        with pytest.raises(ConfigurationError, match="names no subject"):
            subject_key(wrong)
