"""What can go wrong while an environment is made, in words that say what to do."""

import errno
import re
from pathlib import Path


class Trouble(Exception):
    """The command cannot go on; the message is one line that a person can act on."""


FULL_DISK = "the disk is full: free about 2 GB, then run the same command again"
NO_NETWORK = "cannot reach the package index: check the network (or proxy), then run the same command again"
NO_BUILD = "has no build for this Python or machine"

# First match wins: pip without a network also ends in "No matching distribution".
PIP_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"No space left on device|Disk quota exceeded", FULL_DISK),
    (r"Read-only file system|Permission denied", "no permission to write in {place}: make it writable for you"),
    (
        (
            r"NewConnectionError|NameResolutionError|name resolution|Network is unreachable|ConnectTimeout|ReadTimeout"
            r"|Read timed out|ProxyError|Connection refused|ConnectionResetError|SSLError|RemoteDisconnected"
        ),
        NO_NETWORK,
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "a downloaded package is not the one in the lock: try again; if it stays so, do not use it and open an issue",
    ),
    (r"No matching distribution found for (?P<package>[\w.-]+)", "{package} " + NO_BUILD),
)


def explain_pip(output: str, place: Path) -> str:
    """One line for a failed pip run, from what it printed."""
    for pattern, message in PIP_PATTERNS:
        found = re.search(pattern, output)
        if found:
            return message.format(place=place, **found.groupdict())
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no output"]
    return f"pip failed: {errors[-1]}"


def explain_os_error(error: OSError, place: Path) -> str:
    """One line for a file system that does not let us."""
    where = error.filename or place
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL_DISK
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write {where}: make it writable for you, or work in a copy that is"
    return f"{where}: {error.strerror or error}"
