"""The advice of a metro on a laptop or a single host: one JSON file that the controllers of all sites share."""

from collections.abc import Mapping
from pathlib import Path

from edgemind.adapters.advice_store.records import book_changed, book_record, read_book
from edgemind.adapters.state_store.json_document import DocumentKind, JsonDocument
from edgemind.adapters.state_store.records import Record
from edgemind.domain.advice.changes import AdviceBook, PolicyInForce, WriteBook
from edgemind.errors import StateCorrupt

ADVICE = DocumentKind(
    file_name="advice.json",
    recovery=(
        "Move it aside: the values of edgemind.yaml are then in force, and advice begins anew. Controllers that run go "
        "on with the change that they knew until it expires; restart them to end it at once."
    ),
    remade=False,
)


class JsonFileAdviceStore:
    """`AdviceStore` in `directory / advice.json`, in the record `G#<metro>/ADV`. Many processes may share it."""

    def __init__(self, directory: Path, metro: str, lock_timeout_s: float = 5.0) -> None:
        self._document = JsonDocument(directory, ADVICE, lock_timeout_s)
        self._name = f"G#{metro}/ADV"
        self._seen: tuple[str, AdviceBook] | None = None

    def read_book(self) -> AdviceBook:
        return self._book(self._document.read())

    def write_book(self, write: WriteBook) -> None:
        with self._document.edit() as records:
            held = self._book(records)
            if held == write.book:
                return
            if not write.follows(held):
                raise book_changed()
            records[self._name] = book_record(write.book)

    def read_policy(self) -> PolicyInForce:
        # Asked each second, and changed now and then: one stat is enough while the file is the same.
        version = self._document.version()
        if self._seen is None or self._seen[0] != version:
            self._seen = version, self.read_book()
        return self._seen[1].policy

    def _book(self, records: Mapping[str, Record]) -> AdviceBook:
        record = records.get(self._name)
        if record is None:
            return AdviceBook()
        try:
            return read_book(record)
        except StateCorrupt as exc:
            raise self._document.corrupt(f'record "{self._name}": {exc}') from exc
