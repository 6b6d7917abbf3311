"""What `./run compose` asks of Docker: is it here, what is there of the fleet, and which addresses does it have?"""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.trouble import Trouble

FILE = Path("deploy") / "compose.yaml"
HOW = "docs/containers.md says what is needed; `./run demo` runs the same fleet without Docker"


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the fleet. `health` is "" for one without a check, `ports` maps its ports to this machine's."""

    name: str
    service: str
    state: str
    health: str
    exit_code: int
    ports: dict[int, int]

    @property
    def well(self) -> bool:
        """Up and healthy; or done, for one that runs once."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health in ("", "healthy")

    @property
    def condition(self) -> str:
        if self.state == "exited":
            return "done" if self.exit_code == 0 else f"ended with exit code {self.exit_code}"
        return self.health or self.state


class Fleet:
    """The compose project of a tree. Raises Trouble when Docker cannot be used; `docker` is the command."""

    def __init__(self, root: Path, docker: str = "docker") -> None:
        self._file = root / FILE
        self._docker = docker

    def check(self) -> None:
        """Whether there is an engine and a compose plugin; Trouble says which is missing and what to do."""
        if shutil.which(self._docker) is None:
            raise Trouble(f"there is no Docker on this machine: {HOW}")
        plugin = self._ask("compose", "version", "--short")
        version = re.match(r"v?(\d+)\.", plugin.stdout)
        if plugin.returncode != 0 or version is None:
            raise Trouble(f"this Docker has no compose plugin: install it (docker-compose-plugin or so). {HOW}")
        if int(version[1]) < 2:
            raise Trouble(f"compose {plugin.stdout.strip()} is too old, 2.20 or newer is needed. {HOW}")
        engine = self._ask("version", "--format", "{{.Server.Version}}")
        if engine.returncode != 0:
            said = (engine.stderr.strip() or "no answer").splitlines()[-1]
            raise Trouble(f"no Docker engine answers ({said}): start it, or ask for access to it. {HOW}")

    def compose(self, *arguments: str) -> int:
        """`docker compose` with its output for the reader; its exit code."""
        return subprocess.run(self._compose(*arguments), check=False).returncode

    def containers(self) -> list[Container]:
        """All of the project, by service."""
        answer = self._must("ps", "--all", "--format", "json")
        found = [container_of(document) for document in documents(answer)]
        return sorted(found, key=lambda container: container.service)

    def network(self, name: str) -> str:
        """What Docker calls a network of the file."""
        project: dict[str, Any] = json.loads(self._must("config", "--format", "json"))
        return str(project["networks"][name]["name"])

    def read(self, service: str, path: str) -> str:
        """A file inside a running container."""
        return self._must("exec", "-T", service, "cat", path).strip()

    def attach(self, network: str, container: Container) -> None:
        """Under its service's name, as compose does it."""
        self._plainly("network", "connect", "--alias", container.service, network, container.name)

    def detach(self, network: str, container: Container) -> None:
        self._plainly("network", "disconnect", network, container.name)

    def _plainly(self, *arguments: str) -> None:
        answer = self._ask(*arguments)
        if answer.returncode != 0:
            raise Trouble(f"docker {' '.join(arguments[:2])}: {answer.stderr.strip()}")

    def _must(self, *arguments: str) -> str:
        answer = subprocess.run(self._compose(*arguments), capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Trouble(f"docker compose {arguments[0]}: {answer.stderr.strip() or 'failed'}")
        return answer.stdout

    def _compose(self, *arguments: str) -> list[str]:
        return [self._docker, "compose", "--file", str(self._file), *arguments]

    def _ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([self._docker, *arguments], capture_output=True, text=True, check=False)


def documents(answer: str) -> Sequence[dict[str, Any]]:
    """What `docker compose ps --format json` says: one document a line, or (before 2.21) one list."""
    answer = answer.strip()
    if answer.startswith("["):
        listed: list[dict[str, Any]] = json.loads(answer)
        return listed
    return [json.loads(line) for line in answer.splitlines()]


def container_of(document: dict[str, Any]) -> Container:
    ports = {one["TargetPort"]: one["PublishedPort"] for one in document["Publishers"] or () if one["PublishedPort"]}
    return Container(
        document["Name"], document["Service"], document["State"], document["Health"], document["ExitCode"], ports
    )
