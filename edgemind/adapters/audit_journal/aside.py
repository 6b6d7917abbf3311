"""Journals that did not fit what was anchored of them: `<site>.aside-1` and so on beside the folder of the one that is
written. They stay as they are for whoever looks into them, except that persons are erased in them, too, and that they
go when they are older than what is kept.
"""

import shutil
from pathlib import Path

from edgemind.adapters.audit_journal.disk import explained
from edgemind.adapters.audit_journal.folder import ASIDE, segment_files
from edgemind.adapters.state_store.durable_files import sync_directory


def aside_folders(folder: Path) -> list[Path]:
    """Of the journal in `folder`."""
    with explained("read", folder.parent):
        return sorted(path for path in folder.parent.glob(f"{folder.name}{ASIDE}*") if path.is_dir())


def put_aside(folder: Path) -> None:
    """Nobody may write to it any more."""
    number = 1
    while (path := folder.with_name(f"{folder.name}{ASIDE}{number}")).exists():
        number += 1
    with explained("put aside", folder):
        folder.rename(path)
        sync_directory(folder.parent)


def written_before(aside: Path, wall_ms: float) -> bool:
    """Whether all of it is older."""
    with explained("read", aside):
        # Of one without a segment what is left is evidence as well.
        written = segment_files(aside) or [aside]
        return all(path.stat().st_mtime * 1000.0 < wall_ms for path in written)


def delete(aside: Path) -> None:
    with explained("delete", aside):
        shutil.rmtree(aside)
        sync_directory(aside.parent)
