"""Gateways in processes of their own, on free ports, with a configuration and keys made for a test."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from prometheus_client.parser import text_string_to_metric_families

from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.domain.keys import ENTROPY_BYTES, issue_key
from tests.support.wire import PATIENCE_S, Answer, ask

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
SITE_TOKEN = "fleet-secret-of-this-test-fleet-0123456789"
_LISTENS = re.compile(r"listens on https?://127\.0\.0\.1:(\d+) \(admin on port ([\d, ]+)\)")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different, and below those that the system gives to connections going out."""
    found: list[int] = []
    first = 15_000 + os.getpid() * 37 % 15_000
    for port in (*range(first, 30_000), *range(15_000, first)):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
        if len(found) == count:
            break
    return found


def eventually(what: str, look: Callable[[], T], every_s: float = 0.02) -> T:
    """The first truthy thing that `look` gives; an AssertionError that says what never came."""
    until_s = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < until_s, f"it never came to this: {what}"
        time.sleep(every_s)
    return found


@dataclass(slots=True)
class FleetFolder:
    """A folder with edgemind.yaml, the fleet secret and the key store."""

    path: Path
    document: dict[str, Any]
    _keys: int = field(default=0)

    def __post_init__(self) -> None:
        (self.path / "fleet.secret").write_text(SITE_TOKEN)
        self.write()

    @property
    def config(self) -> Path:
        return self.path / "edgemind.yaml"

    @property
    def store(self) -> JsonFileStateStore:
        return JsonFileStateStore(self.path / "state")

    def write(self) -> None:
        """Replaced in one step, as a careful editor does."""
        self.write_text(yaml.safe_dump(self.document, sort_keys=False))

    def write_text(self, text: str) -> None:
        draft = self.path / "edgemind.yaml.new"
        draft.write_text(text)
        draft.replace(self.config)

    def new_key(self, tenant: str) -> str:
        self._keys += 1
        entropy = self._keys.to_bytes(4, "big") + os.urandom(ENTROPY_BYTES - 4)
        issued = issue_key(tenant, entropy, created_ms=self._keys)
        self.store.add_key(issued.stored, live_limit=2)
        return issued.secret

    def revoke(self, secret: str) -> None:
        self.store.revoke_key(secret.split("_")[1], revoked_ms=1)


def fleet_document(sites: Iterable[Mapping[str, Any]], **groups: Any) -> dict[str, Any]:
    """A configuration with these sites; `groups` replace or add top-level groups."""
    return {
        "version": 1,
        "metro": "test",
        "state": {"store": "json", "directory": "state"},
        "fleet": {"secret": "file:fleet.secret"},
        "auth": "keys",
        "sites": list(sites),
        "tenants": [{"name": "demo", "models": ["*"], "rate_per_s": 100_000, "burst": 100_000}],
        **groups,
    }


class GatewayProcess:
    """One `edgemind gateway` with all its workers. Use as a context manager; leaving it ends the process."""

    def __init__(self, folder: FleetFolder, site: str, *flags: str) -> None:
        self._log = folder.path / f"{site}.log"
        command = [sys.executable, "-m", "edgemind", "gateway", "--config", str(folder.config), "--site", site, *flags]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.port = 0
        self.admin_ports: list[int] = []

    def __enter__(self) -> Self:
        try:
            self._wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _wait_ready(self) -> None:
        def listening() -> list[tuple[str, str]]:
            assert self.process.poll() is None, self.log()
            return _LISTENS.findall(self.log())

        port, admin_ports = eventually("the gateway listens", listening)[0]
        self.port, self.admin_ports = int(port), [int(admin_port) for admin_port in admin_ports.split(", ")]
        for worker in range(len(self.admin_ports)):
            eventually(f"worker {worker} is ready", partial(self._ready, worker))

    # The process

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_log(self, text: str) -> None:
        eventually(f"{text!r} in the log", lambda: text in self.log())

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """End it now, and its workers, which are its children in sessions of their own."""
        for worker in self.workers():
            _kill(worker)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def workers(self) -> list[int]:
        """Process ids of the workers of a supervisor."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def rss_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    # Its admin listener

    def admin(self, path: str, headers: dict[str, str] | None = None, *, worker: int = 0) -> Answer:
        return ask(self.admin_ports[worker], "GET", path, headers=headers)

    def metrics(self, worker: int = 0) -> dict[str, float]:
        """Samples by name and labels, such as `edgemind_gateway_routed_by_site_total{site-a}`."""
        text = self.admin("/metrics", worker=worker).body.decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {f"{s.name}{{{','.join(s.labels.values())}}}" if s.labels else s.name: s.value for s in samples}

    def load(self, model: str, site: str | None = None) -> dict[str, Any]:
        """What this gateway holds of one candidate for a model."""
        rows = self.admin("/edgemind/v1/load").json()["candidates"]
        row: dict[str, Any] = next(row for row in rows if row["model"] == model and site in (None, row["site"]))
        return row

    def decision(self, decision_id: str) -> Answer:
        return self.admin(f"/edgemind/v1/decisions/{decision_id}", {"x-edgemind-site-token": SITE_TOKEN})

    def _ready(self, worker: int) -> bool:
        try:
            return self.admin("/readyz", worker=worker).status == 200
        except OSError:
            return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
