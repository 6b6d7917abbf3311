"""What the operating system refuses, as one line that names the path and what to do."""

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
