"""What a published model is made of: files, cut into parts that each have a digest, so that any part can be checked."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from edgemind.errors import PermanentError

PART_BYTES = 64 * 1024 * 1024
MAX_PARTS = 10_000
"""Of one file: what an upload to S3 may have. 64 MiB each makes 625 GiB."""
MAX_FILES = 10_000
MAX_PATH_CHARS = 512

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A stretch of a file; `sha256` in hex."""

    offset: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """`path` is relative, with `/`; `parts` lie one behind the other and are the whole file (none: it is empty)."""

    path: str
    parts: tuple[ModelPart, ...]

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts)


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """One version of a model. A version is never changed once it is published."""

    model: str
    version: str
    files: tuple[ModelFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def part_bounds(size_bytes: int, part_bytes: int = PART_BYTES) -> Iterator[tuple[int, int]]:
    """(offset, size) of each part of a file of this size."""
    for offset in range(0, size_bytes, part_bytes):
        yield offset, min(part_bytes, size_bytes - offset)


def check_names(model: str, version: str) -> None:
    """PermanentError unless both can be names of a model and of a version."""
    if not _MODEL.fullmatch(model):
        raise PermanentError(f"{model[:60]!r} is no name for a model; use letters, digits and . _ : / @ + -")
    if not _VERSION.fullmatch(version):
        raise PermanentError(f"{version[:60]!r} is no name for a version; use letters, digits and . _ -, such as 1.0.2")


def flaws(manifest: ModelManifest) -> list[str]:
    """Everything that makes a manifest unusable: whoever downloads by it writes to the paths that it names."""
    found = []
    if not 0 < len(manifest.files) <= MAX_FILES:
        found.append(f"it has {len(manifest.files)} files, not 1 to {MAX_FILES}")
    times = Counter(file.path for file in manifest.files)
    found += [f"it has {path[:60]!r} more than once" for path, count in times.items() if count > 1]
    for file in manifest.files:
        if not safe_path(file.path):
            found.append(f"{file.path[:60]!r} is no path inside a folder")
        if len(file.parts) > MAX_PARTS or not _contiguous(file):
            found.append(f"the parts of {file.path[:60]} do not make a file")
    return found


def safe_path(path: str) -> bool:
    """Whether a path stays inside of the folder that it is written to, and hides nothing there."""
    parts = PurePosixPath(path).parts
    return (
        0 < len(path) <= MAX_PATH_CHARS
        and path.isprintable()
        and path == "/".join(parts)
        and "\\" not in path
        and not any(part.startswith(".") for part in parts)
    )


def _contiguous(file: ModelFile) -> bool:
    end = 0
    for part in file.parts:
        if part.offset != end or part.size_bytes <= 0 or not _DIGEST.fullmatch(part.sha256):
            return False
        end += part.size_bytes
    return True
