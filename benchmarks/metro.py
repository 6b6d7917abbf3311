"""A metro of real processes for `benchmarks rounds`: a controller, a gateway and a simulated model server a site."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks.peers.base import StartError
from benchmarks.processes import free_port, running
from edgemind.bootstrap import open_swarm_store
from edgemind.services.rounds.provision import provision
from edgemind.settings import load_settings

MODEL = "simulated-detector"
_EDGEMIND = (sys.executable, "-m", "edgemind")
_SECRETS = {"fleet": "bench-fleet-secret-0123456789abcdef", "viewer": "bench-viewer", "operator": "bench-operator"}
_READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Metro:
    """`controllers`: port by site."""

    controllers: dict[str, int]

    def get(self, site: str, path: str) -> Any:
        return self._ask("GET", site, path, "viewer")

    def force(self, site: str) -> bool:
        """Ask the swarm about the model, as an operator can without a breach; whether the controller took it."""
        return self._ask("POST", site, "/rounds", "operator", {"model": MODEL}) is not None

    def _ask(self, method: str, site: str, path: str, role: str, body: object = None) -> Any:
        """None if it does not answer, or refuses."""
        connection = HTTPConnection("127.0.0.1", self.controllers[site], timeout=10.0)
        headers = {"authorization": f"Bearer {_SECRETS[role]}", "content-type": "application/json"}
        try:
            connection.request(method, f"/edgemind/v1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            document = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()
        return document if answer.status < 300 else None


def configuration(directory: Path, sites: Sequence[str], controllers: dict[str, int]) -> dict[str, object]:
    """An edgemind.yaml, whose state is a file in `directory`."""
    for name, secret in _SECRETS.items():
        file = directory / name
        file.write_text(f"{secret}\n")
        file.chmod(0o600)
    return {
        "version": 1,
        "metro": "bench",
        "state": {"store": "json", "directory": str(directory / "state")},
        "fleet": {
            "secret": f"file:{directory / 'fleet'}",
            "tokens": {role: f"file:{directory / role}" for role in ("viewer", "operator")},
        },
        "auth": "off",
        "sites": [
            {
                "name": site,
                "gateway": f"http://127.0.0.1:{free_port()}",
                "admin": f"http://127.0.0.1:{free_port()}",
                "controller": f"http://127.0.0.1:{controllers[site]}",
                "rtt_ms": {other: 4.0 for other in sites if other != site},
                "models": [
                    {
                        "name": MODEL,
                        "base_url": f"http://127.0.0.1:{free_port()}",
                        "slots": 4,
                        "service_ms": 15,
                        "engine": "simulated",
                    }
                ],
            }
            for site in sites
        ],
    }


@contextmanager
def metro(directory: Path, sites: Sequence[str], cores: frozenset[int], voter: str) -> Iterator[Metro]:
    """Provisioned, and everybody sees everybody; every process is gone at the end. Raises StartError.

    `voter` as `edgemind controller --voter` takes it.
    """
    found = Metro({site: free_port() for site in sites})
    file = directory / "edgemind.yaml"  # JSON is YAML.
    file.write_text(json.dumps(configuration(directory, sites, found.controllers)))
    provision(open_swarm_store(load_settings(file)), epoch=1)
    with ExitStack() as stack:
        for site in sites:
            for role in ("model-server", "gateway", "controller"):
                command = [*_EDGEMIND, role, "--config", str(file), "--site", site]
                command += ["--voter", voter] if role == "controller" else []
                stack.enter_context(running(command, cores, directory / f"{site}-{role}.log"))
        _wait(found, sites)
        yield found


def _wait(found: Metro, sites: Sequence[str]) -> None:
    """Until each controller knows the load of every site, and is a member of the swarm whose store answers."""
    give_up_s = time.monotonic() + _READY_S
    while time.monotonic() < give_up_s:
        if all(_ready(found, asked, sites) for asked in sites):
            return
        time.sleep(0.2)
    raise StartError(f"the controllers of {', '.join(sites)} did not see each other within {_READY_S:.0f} s")


def _ready(found: Metro, asked: str, sites: Sequence[str]) -> bool:
    fleet = found.get(asked, "/fleet")
    table = found.get(asked, "/table")
    states = {site["name"]: site["state"] for site in fleet["sites"]} if fleet else {}
    weighed = set(table["weights"].get(MODEL, {})) if table else set()
    return states == dict.fromkeys(sites, "alive") and bool(weighed)
