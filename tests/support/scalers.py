"""Every scaler over something real that it scales: model servers that listen, and an API server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.adapters.inference.simulated import SimulatedModel
from edgemind.adapters.scaler.cluster_api import ClusterApi
from edgemind.adapters.scaler.kubernetes import KubernetesScaler
from edgemind.adapters.scaler.local_process import LocalProcessScaler
from edgemind.adapters.scaler.replica_file import ReplicaFile
from edgemind.domain.fleet import Engine, ModelEndpoint
from edgemind.entrypoints.model_server.scaling import Scaling
from edgemind.entrypoints.model_server.service import Station, Stations
from edgemind.entrypoints.model_server.simulated_app import simulated_app
from tests.support.cluster_api import Cluster, service_account, serving
from tests.support.serving import served

MODELS = ("simulated-llm", "simulated-detector")
FIXED = "simulated-fixed"
MOST = 9


PausableScaler = LocalProcessScaler | KubernetesScaler


class Resource(Protocol):
    """What is scaled. It can be stopped and started; `scaler` is for one event loop, as a controller makes it."""

    def scaler(self) -> PausableScaler: ...

    def restart(self) -> None: ...

    def stop(self) -> None: ...


class ModelServer:
    """A simulated model server, in a thread, that keeps its replicas in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._start()

    def _start(self) -> None:
        endpoints = _endpoints("http://127.0.0.1:1")
        self.stations = Stations([Station(SimulatedModel(one, Random(1)), 8, 0.0) for one in endpoints])
        scaling = Scaling(self.stations, ReplicaFile(self._folder, "site-a"))
        scaling.restore()
        self.url = self._running.enter_context(served(simulated_app(self.stations, scaling)))

    def scaler(self) -> PausableScaler:
        return LocalProcessScaler(HttpCalls(UpstreamPools(ClientLimits())), _endpoints(f"{self.url}/v1"))

    def restart(self) -> None:
        self.stop()
        self._start()

    def stop(self) -> None:
        self._running.close()


class ClusterResource:
    """Deployments of an API server; they are the store, so a restart is the controller's alone."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster()
        self._running = ExitStack()
        for model in MODELS:
            self.cluster.add(f"edgemind-{model}")
        self._account = service_account(folder / "account")
        self._url = self._running.enter_context(serving(self.cluster))

    def scaler(self) -> PausableScaler:
        endpoints = [
            ModelEndpoint(model, f"http://edgemind-{model}.metro-a.svc:8400/v1", 2, 10.0, max_replicas=MOST)
            for model in MODELS
        ]
        endpoints.append(ModelEndpoint(FIXED, "http://edgemind-fixed:8400/v1", 2, 10.0))
        return KubernetesScaler(ClusterApi(self._url, self._account), endpoints)

    def restart(self) -> None:
        """Nothing of it is in the controller's memory."""

    def stop(self) -> None:
        self._running.close()


def _endpoints(url: str) -> list[ModelEndpoint]:
    scaled = [ModelEndpoint(model, url, 2, 10.0, Engine.SIMULATED, max_replicas=MOST) for model in MODELS]
    return [*scaled, ModelEndpoint(FIXED, url, 2, 10.0, Engine.SIMULATED)]


@contextmanager
def resource(kind: str, folder: Path) -> Iterator[Resource]:
    kinds: dict[str, Callable[[Path], Resource]] = {"local": ModelServer, "kubernetes": ClusterResource}
    made = kinds[kind](folder)
    try:
        yield made
    finally:
        made.stop()
