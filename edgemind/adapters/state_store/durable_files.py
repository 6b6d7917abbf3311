"""Files that survive a kill and a power cut, and the lock that orders their writers.

Every refusal of the operating system becomes StoreUnavailable with one line that names the path and what to do.
Local disks only: network file systems may not hold the lock.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

from edgemind.adapters import disk_refusals
from edgemind.errors import StoreUnavailable

LOCK_FILE, TRIAL_FILE = ".lock", ".check"
_LOCK_POLL_S = 0.002

_REMEDIES = disk_refusals.directory_remedies("state.directory", "Free some space on that disk or in this user's quota")

explained = partial(disk_refusals.explained, error=StoreUnavailable, remedies=_REMEDIES)
"""As `disk_refusals.explained`, with what helps here."""


@contextmanager
def locked(directory: Path, timeout_s: float) -> Iterator[None]:
    """Alone in `directory` among all writers of all processes; the directory is made (0700) if it is absent.

    The kernel gives the lock back when its holder dies.
    """
    path = directory / LOCK_FILE
    with explained("open", path):
        make_directory(directory)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with explained("lock", path):
            own_as(descriptor, directory)
            _wait_for_lock(descriptor, path, timeout_s)
        yield
    finally:
        os.close(descriptor)


def replace_durably(path: Path, content: bytes) -> None:
    """Put `content` (0600) at `path`: readers see the old file or the whole new one, and a power cut cannot undo it.

    To be called under the lock of its directory: then one temporary name is enough, and a file found under it was left
    by a writer that died.
    """
    temporary = path.with_name(path.name + ".tmp")
    with explained("write", path):
        temporary.unlink(missing_ok=True)
        try:
            _write_new(temporary, content)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    with explained("be sure that the disk has kept", path):
        sync_directory(path.parent)


def try_to_write(directory: Path, timeout_s: float) -> None:
    """All of a writer's way, with a file of its own that is taken away again. A lock is taken if there is one."""
    trial = directory / f"{TRIAL_FILE}-{os.getpid()}"
    with locked(directory, timeout_s) if (directory / LOCK_FILE).exists() else nullcontext():
        try:
            replace_durably(trial, b"{}")
        finally:
            with suppress(OSError):
                trial.unlink(missing_ok=True)


def _wait_for_lock(descriptor: int, path: Path, timeout_s: float) -> None:
    """Polls: a blocking `flock` cannot be given up, and one stopped process must not hold up all others for good."""
    give_up_s = time.monotonic() + timeout_s
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up_s:
                raise StoreUnavailable(
                    f"another process has held {path} for more than {timeout_s:g} s. "
                    "Look for a stopped edgemind process, then try again."
                ) from None
        time.sleep(_LOCK_POLL_S)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        own_as(descriptor, path.parent)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """With its parents, 0700, durably; as it is if it is there."""
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """A new name is durable only when its directory is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def own_as(descriptor: int, directory: Path) -> None:
    """What root writes belongs to the directory's owner: a gateway can read on after `sudo edgemind keys create`."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
