"""What the operating system refuses, as one line that names the path and what to do."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from edgemind.errors import TemporaryError


@contextmanager
def explained(doing: str, path: Path, *, error: type[TemporaryError], remedies: Mapping[int, str]) -> Iterator[None]:
    """Turns an OSError inside the block into `error`: "cannot {doing} {path}: why. What to do.", by errno."""
    try:
        yield
    except OSError as exc:
        remedy = remedies.get(exc.errno or 0, "Look at that disk")
        raise error(f"cannot {doing} {path}: {exc.strerror or exc}. {remedy}, then try again.") from exc


def directory_remedies(setting: str, no_space: str) -> Mapping[int, str]:
    """What helps where files are kept in the directory that `setting` names."""
    no_right = f"Give this user the right to read and write there, or set {setting} to another place"
    no_directory = f"A part of that path is not what it should be: set {setting} to a directory of its own"
    return {
        errno.EACCES: no_right,
        errno.EPERM: no_right,
        errno.EROFS: f"That file system is read-only: set {setting} to a place that can be written",
        errno.ENOSPC: no_space,
        errno.EDQUOT: no_space,
        errno.ENOTDIR: no_directory,
        errno.EEXIST: no_directory,
        errno.EISDIR: no_directory,
    }
