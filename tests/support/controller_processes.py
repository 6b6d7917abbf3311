"""Controllers as processes of their own, and gateways that only report: enough of a fleet for the controllers' part."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.controllers import report_document
from tests.support.serving import free_ports

ROOT = Path(__file__).parents[2]
LIMIT_S = 20.0
"""Until a state that should come is given up; nothing is asserted about how soon it comes."""


async def model_server(scope: Any, receive: Any, send: Any) -> None:
    """Ready, whatever it is asked."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


def until(holds: Callable[[], object], what: str) -> None:
    """Poll until a state is there; a test fails with `what` if it never is."""
    give_up_s = time.monotonic() + LIMIT_S
    while time.monotonic() < give_up_s:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


def request(method: str, url: str, headers: dict[str, str], body: object = None) -> tuple[int, Any]:
    """(status, document); (0, None) if nobody answers."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, HTTPException):
        return 0, None
    finally:
        connection.close()


class ControllerFleet:
    """A folder with a configuration, and the controller processes that were started from it."""

    def __init__(self, folder: Path, model_server_url: str, sites: int = 3) -> None:
        self.folder = folder
        self.names = [f"site-{letter}" for letter in "abcdef"[:sites]]
        chosen = free_ports(2 * sites)
        self.ports = dict(zip(self.names, chosen[:sites], strict=True))
        self._gateway_ports = dict(zip(self.names, chosen[sites:], strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.arrivals_per_s = dict.fromkeys(self.names, 0.0)
        self.in_flight = dict.fromkeys(self.names, 1)
        self.stats: dict[str, dict[str, Any]] = {name: {} for name in self.names}
        """What each gateway counted so far."""
        self.flags: tuple[str, ...] = ()
        """More of them for every controller."""
        self.more_config: tuple[str, ...] = ()
        """Further lines of the configuration, from its next writing on."""
        self.answers: dict[str, dict[str, Any]] = {}
        self._model_server_url = model_server_url
        self._reporting = threading.Event()
        self._reporter = threading.Thread(target=self._report)
        for name, secret in (("secret", "between-sites"), ("viewer", "look"), ("operator", "act")):
            (folder / name).write_text(secret, encoding="utf-8")
        self.write_config()

    def write_config(self, slots: int = 4, secret: str = "secret", previous: tuple[str, ...] = ()) -> None:
        """`secret` and `previous` are files in the folder."""
        accepted = ", ".join(f"'file:{name}'" for name in previous)
        tokens = "{viewer: 'file:viewer', operator: 'file:operator'}"
        lines = [
            "version: 1",
            "metro: test",
            "state: {store: json, directory: state}",
            f"fleet: {{secret: 'file:{secret}', previous_secrets: [{accepted}], tokens: {tokens}}}",
            "auth: off",
            *self.more_config,
            "sites:",
        ]
        for name in self.names:
            model = f"{{name: detector, base_url: '{self._model_server_url}', slots: {slots}, service_ms: 10}}"
            lines += [
                f"  - name: {name}",
                f"    gateway: http://127.0.0.1:{self._gateway_ports[name]}",
                f"    controller: http://127.0.0.1:{self.ports[name]}",
                f"    models: [{model}]",
            ]
        (self.folder / "edgemind.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start(self, *names: str) -> None:
        """Start, or start again, these sites' controllers, and wait until they answer."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(self.command(name), cwd=ROOT, stdout=log, stderr=log)
        for name in names:
            until(partial(self._answers, name), f"{name} answers")

    def _answers(self, name: str) -> bool:
        return self.get(name, "/healthz")[0] == 200

    def command(self, name: str) -> list[str]:
        config = str(self.folder / "edgemind.yaml")
        return [sys.executable, "-m", "edgemind", "controller", "--config", config, "--site", name, *self.flags]

    def provision(self) -> None:
        """The metro's first round, as an operator puts it."""
        config = str(self.folder / "edgemind.yaml")
        command = [sys.executable, "-m", "edgemind", "swarm", "provision", "--config", config]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    def post(self, name: str, path: str, body: object, token: str = "act") -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return request("POST", f"{self.url(name)}/edgemind/v1{path}", headers, body)

    def rounds(self, asked: str) -> list[dict[str, Any]]:
        """The newest first, as this site saw them itself."""
        status, page = self.get(asked, "/rounds?scope=site&limit=100")
        return list(page["rounds"]) if status == 200 else []

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.processes[name].pid, number)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def get(self, name: str, path: str, token: str = "look") -> tuple[int, Any]:
        return request("GET", f"{self.url(name)}/edgemind/v1{path}", {"authorization": f"Bearer {token}"})

    def states(self, asked: str) -> dict[str, str]:
        _, fleet = self.get(asked, "/fleet")
        return {site["name"]: site["state"] for site in fleet["sites"]} if fleet else {}

    def sees_all(self, asked: str) -> bool:
        return self.states(asked) == dict.fromkeys(self.names, "alive")

    def row(self, asked: str) -> set[str]:
        """The sites in the table of one ingress."""
        status, table = self.get(asked, "/table")
        return set(table["weights"].get("detector", {})) if status == 200 else set()

    @contextlib.contextmanager
    def running(self) -> Iterator["ControllerFleet"]:
        """All controllers with a reporting gateway each; none is left at the end."""
        try:
            self._reporter.start()
            self.start(*self.names)
            yield self
        finally:
            self._reporting.set()
            self._reporter.join()
            for process in self.processes.values():
                process.kill()
                process.wait()

    def _report(self) -> None:
        """What the gateways of all sites post, ten times a second."""
        headers = {"x-edgemind-site-token": "between-sites", "content-type": "application/json"}
        while not self._reporting.wait(0.1):
            for name in self.names:
                load = {"in_flight": self.in_flight[name], "slots": 4, "service_ms": 10.0}
                load |= {"arrivals_per_s": self.arrivals_per_s[name]}
                document = report_document(name, models={"detector": load}, stats=self.stats[name])
                status, answer = request("POST", f"{self.url(name)}/edgemind/v1/gateways/sync", headers, document)
                if status == 200:
                    self.answers[name] = answer
