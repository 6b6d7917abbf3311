"""The note in an environment of what it holds: what makes a warm start instant and a half-made environment known."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.groups import GROUPS, Group

SCHEMA_VERSION = 1
FILE_NAME = "edgemind.json"


@dataclass(slots=True)
class Stamp:
    """`groups` maps a group to the SHA-256 of the lock it was installed from, `missing` to why it cannot be had.

    `path` and `python` (major.minor) are those of the environment when it was made: one that differs was copied, moved
    or lost its Python, and its scripts and paths would lead elsewhere.
    """

    path: str
    python: str
    groups: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def settles(self, group: Group, root: Path) -> bool:
        """Nothing to do for the group: it is here as locked now, or it was tried with this lock and cannot be had."""
        if self.missing.get(group.name, [""])[0] == group.lock_sha256(root):
            return True
        holders = [group, *(other for other in GROUPS if group.name in other.contains and other.place is group.place)]
        return any(self.groups.get(holder.name) == holder.lock_sha256(root) for holder in holders)

    def forget(self, group: Group) -> None:
        self.groups.pop(group.name, None)
        self.missing.pop(group.name, None)

    def save(self) -> None:
        # Replaced whole: a stamp cut short by a full disk would be believed, or break every later start.
        target = Path(self.path) / FILE_NAME
        draft = target.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.replace(target)


def load(environment: Path) -> Stamp | None:
    """The stamp of an environment; None if there is none that can be read."""
    try:
        stamp = Stamp(**json.loads((environment / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return stamp if stamp.schema_version == SCHEMA_VERSION else None
