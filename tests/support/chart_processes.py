"""A site's pods as processes of this machine: the arguments, configuration and probes that the chart renders for them.

Each pod has a loopback address of its own, and Services are the address of one pod. Folders and ports are this test's.
"""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.support.chart import Manifest, configuration, named
from tests.support.serving import free_ports

PORTS = ("8100", "8150", "8200", "8400", "8500")
SECRETS = ("fleet-secret", "viewer-token", "operator-token", "admin-token", "bedrock-key")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    document: Any


@dataclass(slots=True)
class PodProcess:
    address: str
    container: Manifest
    process: "subprocess.Popen[bytes]"
    ports: Mapping[str, int]

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Reply:
        return self._request(self.ports["http"], method, path, headers, body)

    def probe(self, name: str) -> int:
        """The status that the kubelet would see; 0 if nobody listens."""
        asked = self.container[name]["httpGet"]
        try:
            return self._request(self.ports[asked["port"]], "GET", asked["path"], None, None).status
        except OSError:
            return 0

    def _request(self, port: int, method: str, path: str, headers: Mapping[str, str] | None, body: Any) -> Reply:
        connection = http.client.HTTPConnection(self.address, port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), dict(headers or {}))
            answer = connection.getresponse()
            content = answer.read()
            plain = answer.headers.get_content_type() != "application/json"
            return Reply(answer.status, dict(answer.getheaders()), content if plain else json.loads(content))
        finally:
            connection.close()


@dataclass(slots=True)
class ChartSite:
    """`services` says which address stands for which Service."""

    manifests: list[Manifest]
    folder: Path
    services: Mapping[str, str]
    _ports: dict[str, str] = field(default_factory=dict)
    _running: list[PodProcess] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        (self.folder / "secrets").mkdir()
        for name in SECRETS:
            (self.folder / "secrets" / name).write_text(f"{name}-of-this-test", encoding="utf-8")
        self.config.parent.mkdir()
        self.configure(self._placed(configuration(self.manifests)))
        self.config.symlink_to(Path("..data") / self.config.name)
        return self

    def __exit__(self, *_: object) -> None:
        for pod in self._running:
            pod.process.kill()
            pod.process.wait()

    @property
    def config(self) -> Path:
        return self.folder / "config" / "edgemind.yaml"

    def configure(self, text: str) -> None:
        """As a kubelet does it: a folder for each version, and one link that is swapped."""
        mount = self.config.parent
        version = mount / f"..version-{len(list(mount.iterdir()))}"
        version.mkdir()
        (version / self.config.name).write_text(text, encoding="utf-8")
        (mount / "..data.new").symlink_to(version.name)
        (mount / "..data.new").replace(mount / "..data")

    def start(self, deployment: str, address: str) -> PodProcess:
        """One pod of a Deployment at an address of its own."""
        container = named(self.manifests, "Deployment", deployment)["spec"]["template"]["spec"]["containers"][0]
        arguments = [
            self._placed(word).replace("0.0.0.0", address).replace("$(POD_IP)", address) for word in container["args"]
        ]
        with (self.folder / f"{deployment}-{address}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "edgemind", *arguments], stdout=log, stderr=log)
        ports = {port["name"]: int(self._ports[str(port["containerPort"])]) for port in container["ports"]}
        self._running.append(PodProcess(address, container, process, ports))
        return self._running[-1]

    def stop(self, pod: PodProcess) -> None:
        pod.process.send_signal(signal.SIGTERM)

    def _placed(self, text: str) -> str:
        for service, address in self.services.items():
            text = text.replace(f"//{service}:", f"//{address}:")
        text = text.replace("/etc/edgemind", str(self.config.parent)).replace("/run/edgemind", str(self.folder))
        text = text.replace("/var/lib/edgemind", str(self.folder))
        return re.sub(r"(?<=[:=])(8[1-5][05]0)\b", lambda found: self._ports[found[1]], text)
