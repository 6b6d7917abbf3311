"""ministack: many AWS services on this machine, CloudFormation among them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.groups import MINISTACK
from tests.support.engines.aws import ACCOUNT, LocalAws
from tests.support.engines.process import ROOT, listening
from tests.support.serving import free_port

PYTHON = ROOT / ".venvs" / MINISTACK.name / "bin" / "python"


def why_not() -> str | None:
    """Why it cannot be started here; None if it can."""
    return None if PYTHON.exists() else "no ministack: `./run test` installs it"


@contextmanager
def running(folder: Path) -> Iterator[LocalAws]:
    """One of its own, empty, with its log in `folder`."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
    }
    command = [str(PYTHON), "-m", "ministack"]
    with listening(command, port, folder / "ministack.log", environment, folder):
        yield LocalAws("ministack", f"http://127.0.0.1:{port}")
