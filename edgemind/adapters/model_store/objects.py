"""What a store of models is made of: named objects. One implementation per technology; everything else is shared."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from edgemind.domain.model_files import ModelFile
from edgemind.errors import EdgeMindError

CHUNK_BYTES = 1024 * 1024
"""How much of a file is in memory at once, per transfer."""


class ObjectMissing(EdgeMindError):
    """There is no object of this name: for the caller to say what that means."""


class ObjectChanged(EdgeMindError):
    """An object is not as it was when it was read: read it again."""


class Objects(Protocol):
    """Names have `/` in them. Every method raises ModelStoreUnavailable or PermanentError for what is beyond a name."""

    where: str
    """The place, for messages: `s3://bucket`, or a folder."""

    def put_file(self, name: str, source: Path, file: ModelFile) -> None:
        """Store a file's content; ModelDamaged if it no longer has the digests in `file`. Replaces what is there."""

    def read_range(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        """At most `size_bytes` from `offset`, in chunks; less if the object ends. Raises ObjectMissing."""

    def read(self, name: str) -> tuple[bytes, str]:
        """A small object and a mark of its present content. Raises ObjectMissing."""

    def write(self, name: str, content: bytes, mark: str | None) -> None:
        """Store a small object, whole, if it is still as `mark` says (None: absent); else ObjectChanged."""

    def names_below(self, prefix: str) -> Sequence[str]:
        """The next path segments that exist below `prefix`, which ends in `/`."""
