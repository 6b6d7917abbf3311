"""Replicas of the Deployments that serve a site's models. The fence stands in an annotation of each.

Number and annotation change in one write, and only of the object that was read (`resourceVersion`): the API server is
who compares. A controller that was paused between reading and writing meets a conflict, reads again, and finds the
later fence.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from edgemind.adapters.scaler.cluster_api import ClusterAnswer, ClusterApi
from edgemind.adapters.scaler.compare_and_set import Held, compare_and_set, scalable
from edgemind.domain.fleet import ModelEndpoint
from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.scaler import Replicas

FENCE_ANNOTATION = "edgemind.io/fence"
_REFUSED = {
    401: "its token is not accepted",
    403: "the controller's Role does not allow it; with the chart, set controller.scaling.enabled",
    404: "there is none of this name in the controller's namespace; max_replicas above 1 needs one, called as the host "
    "of the model's base_url",
}


class KubernetesScaler:
    """`Scaler` over Deployments, each called as the first label of its model's `base_url`, as the chart makes them."""

    def __init__(self, api: ClusterApi, endpoints: Iterable[ModelEndpoint]) -> None:
        self._api = api
        self._endpoints = {endpoint.model: endpoint for endpoint in endpoints if endpoint.max_replicas > 1}

    async def scale(self, model: str, replicas: int, fence: Fence) -> Replicas:
        name = deployment_of(scalable(self._endpoints, model, replicas))
        return await compare_and_set(partial(self._read, name), partial(self._write, name), model, replicas, fence)

    async def replicas(self) -> Mapping[str, Replicas]:
        return {model: (await self._read(deployment_of(one))).replicas for model, one in self._endpoints.items()}

    async def _read(self, name: str) -> Held:
        return _held(name, _checked(name, await self._api.deployment(name)))

    async def _write(self, name: str, held: Held, replicas: int, fence: Fence) -> Held | None:
        metadata = {"resourceVersion": held.version, "annotations": {FENCE_ANNOTATION: str(fence)}}
        answer = await self._api.patch_deployment(name, {"metadata": metadata, "spec": {"replicas": replicas}})
        if answer.status == 409:
            return None
        return _held(name, _checked(name, answer))


def deployment_of(endpoint: ModelEndpoint) -> str:
    return (urlsplit(endpoint.base_url).hostname or "").split(".")[0]


def _checked(name: str, answer: ClusterAnswer) -> Mapping[str, Any]:
    if answer.status == 200:
        return answer.document
    said = answer.document.get("message", "")
    if answer.status == 429 or answer.status >= 500:
        raise TemporaryError(f"the API server answered {answer.status} for the Deployment {name}: {said}")
    why = _REFUSED.get(answer.status, "")
    raise PermanentError(f"the API server answered {answer.status} for the Deployment {name}: {why or said}")


def _held(name: str, deployment: Mapping[str, Any]) -> Held:
    """Raises PermanentError for what is no Deployment, or carries a fence that nobody of us wrote."""
    try:
        metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
        fence = (metadata.get("annotations") or {}).get(FENCE_ANNOTATION)
        ready, wanted = int(status.get("readyReplicas", 0)), int(spec.get("replicas", 1))
        return Held(Replicas(wanted, ready, Fence.parse(fence) if fence else None), str(metadata["resourceVersion"]))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise PermanentError(f"the API server's answer for {name} is no Deployment ({exc!r})") from exc
    except PermanentError as exc:
        raise PermanentError(f"the annotation {FENCE_ANNOTATION} of {name}: {exc}; remove it") from exc
