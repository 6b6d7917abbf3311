"""What the operating system refuses of a journal's files, and what to do about it."""

import os
from functools import partial

from edgemind.adapters import disk_refusals
from edgemind.errors import StoreUnavailable

_REMEDIES = disk_refusals.directory_remedies("audit.directory", "Free some space on that disk, or lower audit.keep_mib")

explained = partial(disk_refusals.explained, error=StoreUnavailable, remedies=_REMEDIES)
"""As `disk_refusals.explained`, with what helps here."""


def write_all(descriptor: int, content: bytes | bytearray) -> None:
    """However many calls that takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
