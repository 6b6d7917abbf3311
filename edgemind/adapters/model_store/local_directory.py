"""Models published in a directory: of one machine, or shared by several through a file system."""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from edgemind.adapters.model_store.disk import alone, digest_of, explained, sync_folder, write_all
from edgemind.adapters.model_store.objects import CHUNK_BYTES, ObjectChanged, ObjectMissing
from edgemind.domain.model_files import ModelFile
from edgemind.errors import ModelStoreUnavailable, PermanentError


class DirectoryObjects:
    """`Objects` as files below `folder`, which has to be there: an unmounted disk is no store without models."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = str(folder)

    def put_file(self, name: str, source: Path, file: ModelFile) -> None:
        self._require()
        draft = self._draft(name)
        with explained("write", draft), source.open("rb") as read, draft.open("w+b") as written:
            for chunk in _chunks(read.fileno(), 0, file.size_bytes):
                written.write(chunk)
            written.flush()
            whole = all(digest_of(written.fileno(), part.offset, part.size_bytes) == part.sha256 for part in file.parts)
            os.fsync(written.fileno())
        if not whole:
            draft.unlink()
            raise PermanentError(f"{source} changed while it was published: publish it again when nobody writes to it")
        self._put(draft, self._folder / name)

    def read_range(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        path = self._folder / name
        with explained("read", path):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as exc:
                self._require()
                raise ObjectMissing(name) from exc
            try:
                yield from _chunks(descriptor, offset, size_bytes)
            finally:
                os.close(descriptor)

    def read(self, name: str) -> tuple[bytes, str]:
        self._require()
        with explained("read", self._folder / name):
            try:
                content = (self._folder / name).read_bytes()
            except FileNotFoundError as exc:
                raise ObjectMissing(name) from exc
        return content, sha256(content).hexdigest()

    def write(self, name: str, content: bytes, mark: str | None) -> None:
        self._require()
        with alone(self._folder / ".lock"):
            try:
                held = self.read(name)[1]
            except ObjectMissing:
                held = None
            if held != mark:
                raise ObjectChanged(name)
            draft = self._draft(name)
            with explained("write", draft), draft.open("wb") as written:
                write_all(written.fileno(), content, 0)
                os.fsync(written.fileno())
            self._put(draft, self._folder / name)

    def names_below(self, prefix: str) -> Sequence[str]:
        self._require()
        folder = self._folder / prefix
        with explained("read", folder):
            return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []

    def _require(self) -> None:
        if not self._folder.is_dir():
            raise ModelStoreUnavailable(f"there is no folder {self._folder}: make it, or mount the disk it is on.")

    def _draft(self, name: str) -> Path:
        """Beside the file: a name that no object can have, and no other process at the same time."""
        path = self._folder / name
        with explained("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f".{path.name[:200]}.{os.getpid()}.draft")

    def _put(self, draft: Path, path: Path) -> None:
        with explained("write", path):
            draft.replace(path)
            sync_folder(path.parent)


def _chunks(descriptor: int, offset: int, size_bytes: int) -> Iterator[bytes]:
    end = offset + size_bytes
    while offset < end and (chunk := os.pread(descriptor, min(CHUNK_BYTES, end - offset), offset)):
        yield chunk
        offset += len(chunk)
