"""Two servers under load; one is killed and comes back. Exit 1 if a single request failed.

Each of six clients asks again as soon as it has its answer. None of them retries: what a client sees is what EdgeMind
made of it.
"""

import json
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from examples.processes import Processes

HERE = Path(__file__).resolve().parent
CONFIG = HERE / "edgemind.yaml"
CLIENTS = 6
PHASE_S = 2.5


@dataclass(slots=True)
class Phase:
    """What the clients saw while one thing was true of the servers."""

    name: str
    ran_at: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    failures: list[str] = field(default_factory=list)
    slowest_ms: float = 0.0

    def line(self) -> str:
        ran = ", ".join(f"{site} {count}" for site, count in sorted(self.ran_at.items()))
        failed = f"failed {len(self.failures)}"
        return f"{self.name:<22} {ran:<26} retried {self.retried}, {failed}, slowest {self.slowest_ms:.0f} ms"


class Load:
    """The clients. `phase` is where they count what they see."""

    def __init__(self, gateway_url: str, key: str) -> None:
        self._address = urlsplit(gateway_url).netloc
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client) for _ in range(CLIENTS)]
        self.phase = Phase("")

    def run(self, phase: Phase) -> Phase:
        self.phase = phase
        time.sleep(PHASE_S)
        print(phase.line(), flush=True)
        return phase

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> None:
        connection = HTTPConnection(self._address, timeout=30)
        body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": "Hello"}]})
        while not self._stop.is_set():
            sent_s = time.monotonic()
            try:
                connection.request("POST", "/v1/chat/completions", body, self._headers)
                response = connection.getresponse()
                text = response.read().decode()
            except OSError as exc:
                self.phase.failures.append(str(exc))
                connection.close()
                continue
            phase = self.phase
            phase.slowest_ms = max(phase.slowest_ms, (time.monotonic() - sent_s) * 1000.0)
            phase.ran_at[response.headers.get("x-edgemind-site", "nowhere")] += 1
            phase.retried += response.headers.get("x-edgemind-reason") == "retry"
            if response.status != 200:
                phase.failures.append(f"{response.status} {text}")
        connection.close()


def start_server(processes: Processes, name: str, base_url: str) -> None:
    address = urlsplit(base_url).netloc
    command = [sys.executable, str(HERE / "stand_in_server.py"), address, name]
    processes.start(name, command, ready=f"{base_url}/models")


def create_key(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "edgemind", "keys", "create", "--config", str(CONFIG), "--tenant", "me"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    sites: list[dict[str, Any]] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["sites"]
    servers = {site["name"]: site["models"][0]["base_url"] for site in sites}
    with Processes({"FLEET_SECRET": secrets.token_urlsafe(32), "EDGEMIND_LIMITS__DRAIN_S": "0"}) as processes:
        processes.environment["EDGEMIND_STATE__DIRECTORY"] = str(processes.folder / "state")
        for name, base_url in servers.items():
            start_server(processes, name, base_url)
        at_site = ("--config", str(CONFIG), "--site", "rack-1")
        processes.edgemind("controller", "controller", *at_site, ready=f"{sites[0]['controller']}/healthz")
        key = create_key(processes.environment)
        processes.edgemind("gateway", "gateway", *at_site, ready=f"{sites[0]['admin']}/readyz")
        with Load(sites[0]["gateway"], key) as load:
            phases = [load.run(Phase("both servers up"))]
            processes.kill("rack-1")
            phases.append(load.run(Phase("rack-1 killed")))
            start_server(processes, "rack-1", servers["rack-1"])
            phases.append(load.run(Phase("rack-1 started again")))
    failures = [failure for phase in phases for failure in phase.failures]
    print(f"{len(failures)} of {sum(phase.ran_at.total() for phase in phases)} requests failed")
    for failure in failures[:3]:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
