"""What a process tree has used, as the kernel counts it (Linux)."""

import os
import time
from pathlib import Path

_PROC = Path("/proc")


def _parent(pid: int) -> int | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None  # It ended between the listing and the read.
    # The command name may hold spaces and brackets; the fields after its closing bracket do not.
    return int(stat.rpartition(")")[2].split()[1])


def process_tree(root: int) -> tuple[int, ...]:
    """`root` and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return tuple(found)


def _process_clock(pid: int) -> int:
    """The clock id of a process's CPU time: the pid above three low bits that say 2, scheduler time of all threads."""
    return (~pid << 3) | 2


def cpu_ns(root: int) -> int:
    """User and system time of the tree, ended threads included.

    The same sum as utime + stime in /proc/<pid>/stat, in nanoseconds instead of 10 ms ticks. Raises ProcessLookupError
    if the root is gone.
    """
    total = 0
    for pid in process_tree(root):
        try:
            total += time.clock_gettime_ns(_process_clock(pid))
        except OSError as gone:
            if pid == root:
                raise ProcessLookupError(f"process {root} ended while it was measured") from gone
    return total


def cpu_ticks_s(pid: int) -> float:
    """utime + stime of one process from /proc/<pid>/stat, in seconds; coarse, to check `cpu_ns` against."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine_busy_ns() -> int:
    """CPU time that all cores together spent on anything since boot, time stolen by a hypervisor included."""
    fields = [int(field) for field in (_PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]  # Waiting for a disk is idle too.
    return (sum(fields) - idle) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def rss_mb(root: int) -> float:
    """Resident memory of the tree in MB (10^6 bytes), pages shared between its processes counted in each."""
    total_kib = 0
    for pid in process_tree(root):
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # Ended, or a zombie without memory.
        total_kib += sum(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
    return total_kib * 1024 / 1e6
