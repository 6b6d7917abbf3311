"""Controllers and a gateway as processes that know one another by certificates, while one is renewed."""

import contextlib
import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.controller_processes import ROOT, request, until
from tests.support.fleet_certificates import HOST, Certificates
from tests.support.serving import free_ports

CONFIG = """\
version: 1
metro: test
auth: off
fleet:
  secret: file:secret
  tls: {{ca: certs/ca.pem, certificate: "certs/{{site}}.pem", key: "certs/{{site}}.key"}}
  tokens: {{viewer: file:viewer}}
sites:
  - name: site-a
    gateway: http://127.0.0.1:{0}
    admin: http://127.0.0.1:{1}
    controller: https://127.0.0.1:{2}
    models: [{{name: m, base_url: "http://127.0.0.1:1", slots: 1, service_ms: 9}}]
  - name: site-b
    controller: https://127.0.0.1:{3}
    models: [{{name: m, base_url: "http://127.0.0.1:1", slots: 1, service_ms: 9}}]
"""


class TlsFleet:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = free_ports(4)
        self.certificates = Certificates(folder / "certs")
        for name, text in (("secret", "s3cret"), ("viewer", "look"), ("edgemind.yaml", CONFIG.format(*self.ports))):
            (folder / name).write_text(text, encoding="utf-8")
        for name in ("site-a", "site-b"):
            self.certificates.issue(name)
        self._trust = ssl.create_default_context(cafile=str(folder / "certs" / "ca.pem"))
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, site: str) -> None:
        arguments = [command, "--config", str(self.folder / "edgemind.yaml"), "--site", site]
        with (self.folder / f"{command}-{site}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen([sys.executable, "-m", "edgemind", *arguments], cwd=ROOT, stdout=log, stderr=log)
            )

    def stop_all(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def log(self, command: str, site: str) -> str:
        return (self.folder / f"{command}-{site}.log").read_text(encoding="utf-8")

    def states(self) -> dict[str, str]:
        """As site-a's controller sees them; {} while it does not answer."""
        connection = http.client.HTTPSConnection(HOST, self.ports[2], context=self._trust, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/edgemind/v1/fleet", headers={"authorization": "Bearer look"})
            fleet: dict[str, Any] = json.loads(connection.getresponse().read())
            return {site["name"]: site["state"] for site in fleet["sites"]}
        return {}

    def gateway_serves(self) -> bool:
        return request("GET", f"http://{HOST}:{self.ports[0]}/v1/models", {})[0] == 200

    def gateway_has_heard(self) -> bool:
        _, load = request("GET", f"http://{HOST}:{self.ports[1]}/edgemind/v1/load", {})
        return bool(load) and (load["controller"] or {}).get("heard_s_ago") is not None


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[TlsFleet]:
    made = TlsFleet(tmp_path)
    try:
        yield made
    finally:
        made.stop_all()


@pytest.mark.slow
def test_sites_and_gateways_meet_behind_tls_and_a_certificate_is_renewed_under_them(fleet: TlsFleet) -> None:
    everybody = {"site-a": "alive", "site-b": "alive"}
    for site in ("site-a", "site-b"):
        fleet.start("controller", site)
    fleet.start("gateway", "site-a")
    until(lambda: fleet.states() == everybody, "controllers see one another")
    until(fleet.gateway_has_heard, "the gateway hears its controller")

    fleet.certificates.issue("site-a", days=25)
    for command in ("controller", "gateway"):
        until(lambda command=command: "certificate renewed" in fleet.log(command, "site-a"), f"{command} takes it up")  # type: ignore[misc]
    until(lambda: fleet.states() == everybody, "and nobody is lost")
    assert "suspected" not in fleet.log("controller", "site-b")


@pytest.mark.slow
def test_a_wrong_certificate_stops_a_controller_and_no_gateway(fleet: TlsFleet) -> None:
    """Nobody could reach such a controller; a gateway serves its devices without one."""
    fleet.certificates.issue("site-a", "mec-a.example.org")
    fleet.start("controller", "site-a")
    until(lambda: "cannot be used at 127.0.0.1" in fleet.log("controller", "site-a"), "the controller says why")

    (fleet.folder / "certs" / "site-a.pem").write_text("spoiled", encoding="utf-8")
    fleet.start("gateway", "site-a")
    until(lambda: "the controller cannot be asked" in fleet.log("gateway", "site-a"), "and says what it lacks")
    until(fleet.gateway_serves, "and serves")
