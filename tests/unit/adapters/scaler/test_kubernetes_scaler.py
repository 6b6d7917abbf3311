"""The Kubernetes scaler beyond the suite of all: what is written, what is refused, and by whom it is answered."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgemind.adapters.scaler.cluster_api import ClusterApi
from edgemind.adapters.scaler.kubernetes import FENCE_ANNOTATION, KubernetesScaler
from edgemind.domain.fleet import ModelEndpoint
from edgemind.domain.swarm.records import Fence
from edgemind.errors import ConfigurationError, PermanentError, TemporaryError
from edgemind.ports.scaler import Replicas
from tests.support.cluster_api import Cluster, service_account, serving

NAME = "edgemind-model-chat"


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.add(NAME)
    return made


@pytest.fixture
def scaler(cluster: Cluster, tmp_path: Path) -> Iterator[KubernetesScaler]:
    with serving(cluster) as url:
        yield scaler_at(url, service_account(tmp_path / "account"))


def scaler_at(url: str, account: Path) -> KubernetesScaler:
    endpoint = ModelEndpoint("m", f"http://{NAME}:8400/v1", 4, 9.0, max_replicas=5)
    return KubernetesScaler(ClusterApi(url, account), [endpoint])


def scale(scaler: KubernetesScaler) -> Replicas:
    return asyncio.run(scaler.scale("m", 3, Fence(1, 17)))


def test_number_and_fence_change_in_one_write_on_what_was_read(cluster: Cluster, scaler: KubernetesScaler) -> None:
    cluster.touch(NAME)
    scale(scaler)
    assert cluster.writes == ["2"]
    assert cluster.deployments[NAME]["spec"] == {"template": {"spec": {}}, "replicas": 3}
    assert cluster.deployments[NAME]["metadata"]["annotations"] == {FENCE_ANNOTATION: "1.17"}
    scale(scaler)
    assert cluster.writes == ["2"], "done already: nothing is written"


def test_other_annotations_stay(cluster: Cluster, scaler: KubernetesScaler) -> None:
    cluster.deployments[NAME]["metadata"]["annotations"] = {"note": "kept"}
    scale(scaler)
    assert cluster.deployments[NAME]["metadata"]["annotations"] == {"note": "kept", FENCE_ANNOTATION: "1.17"}


def test_wanted_is_not_ready(cluster: Cluster, scaler: KubernetesScaler) -> None:
    cluster.ready[NAME] = 0
    assert scale(scaler) == Replicas(3, 0, Fence(1, 17))


@pytest.mark.parametrize(("status", "error"), [(403, PermanentError), (429, TemporaryError), (503, TemporaryError)])
def test_refusals(cluster: Cluster, scaler: KubernetesScaler, status: int, error: type[Exception]) -> None:
    cluster.failing = status
    with pytest.raises(error, match=str(status)):
        scale(scaler)


def test_a_deployment_that_is_not_there(cluster: Cluster, scaler: KubernetesScaler) -> None:
    cluster.deployments.clear()
    with pytest.raises(PermanentError, match="none of this name"):
        scale(scaler)


def test_a_token_is_read_anew_for_each_call(cluster: Cluster, scaler: KubernetesScaler, tmp_path: Path) -> None:
    cluster.token = "rotated"
    with pytest.raises(PermanentError, match="token"):
        scale(scaler)
    (tmp_path / "account" / "token").write_text("rotated\n", encoding="utf-8")
    assert scale(scaler).wanted == 3


@pytest.mark.parametrize("broken", [{"spec": None}, {"metadata": {}}, {"spec": {"replicas": "many"}}])
def test_an_answer_that_is_no_deployment(cluster: Cluster, scaler: KubernetesScaler, broken: dict[str, object]) -> None:
    cluster.deployments[NAME] |= broken
    cluster._shown = lambda name: cluster.deployments[name]  # type: ignore[method-assign]
    with pytest.raises(PermanentError, match="no Deployment"):
        scale(scaler)


def test_a_fence_that_nobody_of_us_wrote(cluster: Cluster, scaler: KubernetesScaler) -> None:
    cluster.deployments[NAME]["metadata"]["annotations"] = {FENCE_ANNOTATION: "soon"}
    with pytest.raises(PermanentError, match="remove it"):
        scale(scaler)


def test_outside_a_pod(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"controller\.scaling\.enabled"):
        scale(scaler_at("http://localhost:1", tmp_path / "nothing"))


def test_the_api_server_is_who_the_mounted_certificate_says(cluster: Cluster, tmp_path: Path) -> None:
    ours, other = make_certificate(tmp_path / "ours"), make_certificate(tmp_path / "other")
    with serving(cluster, ours) as url:
        account = service_account(tmp_path / "account", ca=ours[0])
        assert scale(scaler_at(url, account)).wanted == 3
        service_account(account, ca=other[0])
        with pytest.raises(PermanentError, match="is not the API server of this cluster"):
            scale(scaler_at(url, account))


def make_certificate(folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", *made, *named, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key
