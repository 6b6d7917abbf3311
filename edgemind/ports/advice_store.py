"""Where the advice of one metro is kept: one book, and the policy in force that every controller follows."""

from typing import Protocol

from edgemind.domain.advice.changes import AdviceBook, PolicyInForce, WriteBook
from edgemind.errors import TemporaryError


class BookChanged(TemporaryError):
    """Somebody else wrote the book since it was read: read it again, and see whether the step is still possible."""


class AdviceStore(Protocol):
    """Raises StoreUnavailable, or StateCorrupt, from every method. Calls block: keep them off event loops."""

    def read_book(self) -> AdviceBook:
        """Consistent; version 0 if nothing was ever written."""

    def write_book(self, write: WriteBook) -> None:
        """Raises BookChanged unless the stored book is of the version before. The same write again succeeds again.

        After StoreUnavailable it may have been stored all the same.
        """

    def read_policy(self) -> PolicyInForce:
        """What the book says is in force, perhaps of a second ago. Every controller asks each second: it is small."""
