"""The advice of a metro for as long as the process lives."""

from threading import Lock

from edgemind.adapters.advice_store.records import book_changed
from edgemind.domain.advice.changes import AdviceBook, PolicyInForce, WriteBook


class MemoryAdviceStore:
    """`AdviceStore` in one variable. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._book = AdviceBook()

    def read_book(self) -> AdviceBook:
        return self._book

    def write_book(self, write: WriteBook) -> None:
        with self._lock:
            if self._book == write.book:
                return
            if not write.follows(self._book):
                raise book_changed()
            self._book = write.book

    def read_policy(self) -> PolicyInForce:
        return self._book.policy
