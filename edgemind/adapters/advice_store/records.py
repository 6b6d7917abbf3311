"""The schema of stored advice, version 1.0: the domain's documents, each with the version that conditions compare."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from edgemind.adapters.state_store.records import SCHEMA_VERSION, check_schema
from edgemind.domain.advice.changes import AdviceBook, PolicyInForce
from edgemind.domain.advice.documents import book_document, parse_book, parse_policy, policy_document
from edgemind.domain.wire import DocumentInvalid
from edgemind.errors import StateCorrupt
from edgemind.ports.advice_store import BookChanged

_Read = TypeVar("_Read")


def book_record(book: AdviceBook) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "version": book.version, "document": book_document(book)}


def policy_record(policy: PolicyInForce) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "version": policy.version, "document": policy_document(policy)}


def read_book(record: Mapping[str, Any]) -> AdviceBook:
    """StateCorrupt unless it is a book."""
    return _read(record, parse_book)


def read_policy(record: Mapping[str, Any]) -> PolicyInForce:
    return _read(record, parse_policy)


def book_changed() -> BookChanged:
    return BookChanged("somebody else changed the advice of this metro at the same moment: look again, then try again")


def _read(record: Mapping[str, Any], parse: Callable[[object], _Read]) -> _Read:
    check_schema(record)
    try:
        return parse(record.get("document"))
    except DocumentInvalid as exc:
        raise StateCorrupt(str(exc)) from exc
