"""The fleet of deploy/compose.yaml, run as a user runs it: by `./run compose`, on ports and under a name of its own."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

from edgemind.domain.device_mixes import DETECTOR
from scripts.containers import FILE, Container, container_of, documents
from tests.support.engines.docker import Docker
from tests.support.engines.process import ROOT
from tests.support.serving import free_ports
from tests.support.wire import Answer, ask

PROJECT = "edgemind-test"
SITES = ("site-a", "site-b", "site-c")
LIMIT_S = 60.0
"""Until something that never becomes true is given up; nothing is asserted about how soon it does."""


class ComposeFleet:
    """`images` are the build arguments that name base and wheels."""

    def __init__(self, docker: Docker, images: Mapping[str, str]) -> None:
        self.docker = docker
        ports = free_ports(2 * len(SITES) + 1)
        self.gateways = dict(zip(SITES, ports, strict=False))
        self.controllers = dict(zip(SITES, ports[len(SITES) :], strict=False))
        self.page = ports[-1]
        numbers = {f"{_variable(site)}_PORT": port for site, port in self.gateways.items()}
        numbers |= {f"{_variable(site)}_CONTROLLER_PORT": port for site, port in self.controllers.items()}
        self.environment = {
            **docker.environment, **images, **{name: str(port) for name, port in numbers.items()},
            "EDGEMIND_STATUS_PAGE_PORT": str(self.page), "EDGEMIND_TAG": "test", "COMPOSE_PROJECT_NAME": PROJECT,
        }  # fmt: skip

    def run(self, *arguments: str) -> str:
        """What `./run compose ...` prints; AssertionError with all of it, and the logs, when it fails."""
        done = subprocess.run(
            [ROOT / "run", "compose", *arguments], env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"./run compose {' '.join(arguments)}: {done.stdout[-6000:]}\n{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        command = ["docker", "compose", "--file", str(ROOT / FILE), "logs", "--no-color", "--tail", "15"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    def compose(self, *arguments: str) -> str:
        return Docker(self.environment, self.docker.own).run("compose", "--file", str(ROOT / FILE), *arguments)

    def containers(self) -> dict[str, Container]:
        found = [container_of(one) for one in documents(self.compose("ps", "--all", "--format", "json"))]
        return {container.service: container for container in found}

    def key(self) -> str:
        return self.compose("exec", "-T", "site-a-controller", "cat", "/var/lib/edgemind/key")

    def detect(self, site: str, key: str) -> Answer:
        """A camera frame's worth of a question, asked at the gateway of `site`."""
        body = json.dumps({"model": DETECTOR, "messages": [{"role": "user", "content": "What is there?"}]}).encode()
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return ask(self.gateways[site], "POST", "/v1/chat/completions", body, headers)

    def states(self, asked: str) -> dict[str, str]:
        """The state of every site as the controller of `asked` sees it, from outside of its container."""
        token = self.compose("exec", "-T", f"{asked}-controller", "cat", "/var/lib/edgemind/viewer.token")
        answer = ask(self.controllers[asked], "GET", "/edgemind/v1/sites", headers={"authorization": f"Bearer {token}"})
        assert answer.status == 200, answer
        return {site["name"]: site["state"] for site in answer.json()["sites"]}

    def devices(self) -> dict[str, Any]:
        """What the devices have seen so far."""
        report: dict[str, Any] = json.loads(self.compose("exec", "-T", "devices", "cat", "/tmp/devices.json"))
        return report

    def left_over(self) -> list[str]:
        """Containers, volumes and networks of the project."""
        label = ("--filter", f"label=com.docker.compose.project={PROJECT}", "--quiet")
        commands = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
        return [line for command in commands for line in self.docker.run(*command, *label).split()]


def until(what: str, holds: Callable[[], bool]) -> None:
    """Ask until it holds."""
    give_up_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < give_up_s, f"within {LIMIT_S:g} s it was never so that {what}"
        time.sleep(0.25)


def _variable(site: str) -> str:
    return "EDGEMIND_" + re.sub(r"\W", "_", site).upper()
