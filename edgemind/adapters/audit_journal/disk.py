"""What the operating system refuses of a journal's files, and what to do about it."""

import errno
from functools import partial

from edgemind.adapters import disk_refusals
from edgemind.errors import StoreUnavailable

_NO_RIGHT = "Give this user the right to read and write there, or set audit.directory to another place"
_NO_SPACE = "Free some space on that disk, or lower audit.keep_mib"
_NO_DIRECTORY = "A part of that path is not what it should be: set audit.directory to a directory of its own"
_REMEDIES = {
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: "That file system is read-only: set audit.directory to a place that can be written",
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.ENOTDIR: _NO_DIRECTORY,
    errno.EEXIST: _NO_DIRECTORY,
    errno.EISDIR: _NO_DIRECTORY,
}

explained = partial(disk_refusals.explained, error=StoreUnavailable, remedies=_REMEDIES)
"""As `disk_refusals.explained`, with what helps here."""
