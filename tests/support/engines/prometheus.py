"""Prometheus and its tool, from Debian's package: rules are checked by promtool, and a server of our own scrapes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.support.engines.process import listening
from tests.support.gateway_process import eventually
from tests.support.serving import free_port


def why_not() -> str | None:
    """Why neither can be had here; None if both can."""
    missing = [name for name in ("promtool", "prometheus") if shutil.which(name) is None]
    return f"no {' and no '.join(missing)} (.ci/install-prometheus puts them there)" if missing else None


def promtool(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server that answers."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            document = json.load(answer)
        assert document["status"] == "success", document
        return document["data"]

    def values(self, promql: str) -> Sequence[float]:
        """What a query answers now: one number for each series."""
        return [float(series["value"][1]) for series in self.ask("query", query=promql)["result"]]


@contextmanager
def running(config: Path, folder: Path) -> Iterator[Prometheus]:
    """One of its own with its data and its log in `folder`."""
    port = free_port()
    command = [
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with listening(command, port, folder / "prometheus.log", os.environ, folder):
        url = f"http://127.0.0.1:{port}"
        # It listens before it answers queries.
        eventually("prometheus is ready", partial(_ready, url))
        yield Prometheus(url)


def _ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/-/ready", timeout=10) as answer:
            return bool(answer.status == 200)
    except HTTPError:
        return False
