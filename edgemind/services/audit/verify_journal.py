"""A journal on a disk against what was anchored of it."""

from collections.abc import Callable, Iterable, Sequence

from edgemind.domain.audit.checkpoints import Checkpoint, CheckpointKeys
from edgemind.domain.audit.verification import FlawKind, Verification, Verified
from edgemind.ports.audit_files import AuditFiles

PROGRESS_LINES = 10_000
ATTEMPTS = 3
_MEANWHILE = frozenset({FlawKind.WIPED, FlawKind.CUT})


def verify_journal(
    files: AuditFiles,
    site: str,
    anchors: Sequence[Checkpoint],
    keys: CheckpointKeys,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Reads all of it. `anchors` were read before, so that a journal that grows meanwhile fits them; `progress` hears
    how many bytes were read. StateCorrupt if its base cannot be read.

    What an erasure or a pruning did meanwhile is told in a segment that was not there at the beginning: then it is read
    again.
    """
    for _ in range(ATTEMPTS):
        seen = files.paths(site)
        told = _read(files, site, anchors, keys, progress)
        if told.flaw is None or told.flaw.kind not in _MEANWHILE or files.paths(site) == seen:
            break
    return told


def _read(
    files: AuditFiles,
    site: str,
    anchors: Sequence[Checkpoint],
    keys: CheckpointKeys,
    progress: Callable[[int], None],
) -> Verified:
    fold = Verification(site, files.base(site), anchors, keys)
    torn = read = 0
    for number, line in enumerate(files.lines(site), 1):
        if torn:
            # A crash leaves a torn line at the end only.
            fold.take(b"", line.place)
            break
        if line.torn:
            torn = len(line.content)
            continue
        read += len(line.content) + 1
        if number % PROGRESS_LINES == 0:
            progress(read)
        if not fold.take(line.content, line.place):
            break
    progress(read)
    return fold.finish(torn)


def anchors_of(anchors: Iterable[Checkpoint], site: str) -> list[Checkpoint]:
    return [one for one in anchors if one.site == site]
