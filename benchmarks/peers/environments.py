"""Finding a peer's program: beside our Python, on PATH, or in an environment of its own."""

import shutil
import sys
from pathlib import Path

from benchmarks.processes import StartError


def program(name: str) -> str:
    """The program installed beside this Python, or on PATH. Raises StartError if it is in neither."""
    # Not resolve(): a virtual environment's python is a link out of it.
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise StartError(f"`{name}` is not installed; `./run bench gateway` installs it")
    return found


def own_environment_program(environments: Path, environment: str, name: str) -> str:
    """The program in `environments`/`environment`. Raises StartError if that was not, or could not be, installed."""
    found = environments / environment / "bin" / name
    if not found.exists():
        raise StartError(f"`{name}` is not installed; `./run bench gateway --peers all` installs it where it can")
    return str(found)
