"""This machine's side of a transfer: files that are read for publishing, and written where models are kept."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

from edgemind.adapters import disk_refusals
from edgemind.adapters.model_store.objects import CHUNK_BYTES
from edgemind.domain.model_files import ModelFile, ModelPart, part_bounds, safe_path
from edgemind.errors import ModelStoreUnavailable, PermanentError

_REMEDIES = {
    errno.ENOSPC: "Free some space on that disk",
    errno.EDQUOT: "Free some space in this user's quota",
    errno.EACCES: "Give this user the right to use it",
    errno.EPERM: "Give this user the right to use it",
    errno.EROFS: "That file system is read-only: choose another place",
    errno.ENOENT: "Check the path",
}

explained = partial(disk_refusals.explained, error=ModelStoreUnavailable, remedies=_REMEDIES)
"""As `disk_refusals.explained`, with what helps here."""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time; others wait. The kernel gives the lock back when its holder dies."""
    with explained("lock", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with explained("lock", path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def scan(source: Path, part_bytes: int) -> Sequence[tuple[Path, ModelFile]]:
    """The files to publish with the digests of their parts; PermanentError for what cannot be one."""
    with explained("read", source):
        if stat.S_ISDIR(source.stat().st_mode):
            found = sorted(path for path in source.rglob("*") if not path.is_dir())
            named = [(path, path.relative_to(source).as_posix()) for path in found]
        else:
            named = [(source, source.name)]
        wrong = [name for path, name in named if not safe_path(name) or not path.is_file()]
        if wrong or not named:
            raise PermanentError(
                f"{source} cannot be published: "
                + (f"{', '.join(map(repr, wrong[:10]))} is hidden, or no plain file" if wrong else "it has no files")
            )
        return [(path, ModelFile(name, _digests(path, part_bytes))) for path, name in named]


def _digests(path: Path, part_bytes: int) -> tuple[ModelPart, ...]:
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        return tuple(
            ModelPart(offset, size, digest_of(file.fileno(), offset, size))
            for offset, size in part_bounds(size_bytes, part_bytes)
        )


def digest_of(descriptor: int, offset: int, size_bytes: int) -> str:
    """SHA-256 (hex) of a stretch of an open file, or of as much of it as there is."""
    digest = sha256()
    end = offset + size_bytes
    while offset < end and (chunk := os.pread(descriptor, min(CHUNK_BYTES, end - offset), offset)):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()


def write_all(descriptor: int, chunk: bytes, offset: int) -> None:
    """At `offset`, whole: the system may take less at a time."""
    view = memoryview(chunk)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
