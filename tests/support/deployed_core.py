"""The routing core on what was deployed: real controllers and gateways that are told the environment, and no names."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.engines.aws import LocalAws
from tests.support.gateway_process import ROOT, SITE_TOKEN, eventually
from tests.support.serving import free_ports
from tests.support.wire import Answer, ask

MODEL = "small"
METRO = "test"


async def model_server(scope: Any, receive: Any, send: Any) -> None:
    """Answers every request with one chat completion."""
    message = {"role": "assistant", "content": "Here."}
    body = json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def in_threes(ports: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Three at a time."""
    return zip(ports[::3], ports[1::3], ports[2::3], strict=True)


@dataclass(frozen=True, slots=True)
class DeployedCore:
    """A fleet whose state is in the tables of `environment`, in the engine's region."""

    aws: LocalAws
    environment: str
    folder: Path
    ports: Mapping[str, tuple[int, int, int]]
    """Of each site: its gateway's port, the one of the gateway's admin listener, and its controller's."""

    @classmethod
    def plan(
        cls, aws: LocalAws, environment: str, folder: Path, sites: Sequence[str], model_server_url: str
    ) -> "DeployedCore":
        free = free_ports(3 * len(sites))
        core = cls(aws, environment, folder, dict(zip(sites, in_threes(free), strict=True)))
        folder.mkdir(exist_ok=True)
        (folder / "fleet.secret").write_text(SITE_TOKEN, encoding="utf-8")
        document = {
            "version": 1,
            "metro": METRO,
            "state": {"store": "dynamodb"},
            "aws": {"environment": environment, "region": aws.region},
            "fleet": {"secret": "file:fleet.secret"},
            "auth": "keys",
            "sites": [
                {
                    "name": site,
                    "gateway": f"http://127.0.0.1:{gateway}",
                    "admin": f"http://127.0.0.1:{admin}",
                    "controller": f"http://127.0.0.1:{controller}",
                    "models": [{"name": MODEL, "base_url": model_server_url, "slots": 4, "service_ms": 10}],
                }
                for site, (gateway, admin, controller) in core.ports.items()
            ],
            "tenants": [{"name": "demo", "models": ["*"]}],
        }
        (folder / "edgemind.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return core

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "edgemind", *words, "--config", str(self.folder / "edgemind.yaml")]

    def new_key(self) -> str:
        command = self.command("keys", "create", "--tenant", "demo", "-o", "json")
        told = subprocess.run(
            command, cwd=ROOT, env=self.aws.environment(), capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        key: str = json.loads(told.stdout)["key"]
        return key

    @contextmanager
    def running(self) -> Iterator[None]:
        """A controller and a gateway at each site."""
        processes = []
        try:
            for kind in ("controller", "gateway"):
                for site in self.ports:
                    with self._log(kind, site).open("wb") as log:
                        process = subprocess.Popen(
                            self.command(kind, "--site", site),
                            cwd=ROOT, env=self.aws.environment(), stdout=log, stderr=log,
                        )  # fmt: skip
                    processes.append((process, self._log(kind, site)))
            self._processes_live(processes)
            yield
        finally:
            for process, _ in processes:
                process.terminate()
            for process, _ in processes:
                process.wait(30)

    def _processes_live(self, processes: "list[tuple[subprocess.Popen[bytes], Path]]") -> None:
        def answers() -> bool:
            for process, log in processes:
                assert process.poll() is None, log.read_text(errors="replace")
            try:
                return all(
                    ask(port, "GET", path).status == 200
                    for _, admin, controller in self.ports.values()
                    for port, path in ((admin, "/readyz"), (controller, "/healthz"))
                )
            except OSError:
                return False

        eventually("every controller and gateway answers", answers, 0.2)

    def log(self, kind: str, site: str) -> str:
        """What the `kind` of process ("controller" or "gateway") of a site has printed."""
        return self._log(kind, site).read_text(encoding="utf-8", errors="replace")

    def _log(self, kind: str, site: str) -> Path:
        return self.folder / f"{kind}-{site}.log"

    def chat(self, site: str, key: str) -> Answer:
        body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Where are you?"}]}).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return ask(self.ports[site][0], "POST", "/v1/chat/completions", body, headers)
