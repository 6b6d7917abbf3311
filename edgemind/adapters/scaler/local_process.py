"""Replicas of the model servers on this machine: simulated ones start and stop slots of their own accord.

llama.cpp is not among them: one engine in one process, on cores that all its slots share. More slots would be promised
to the routing table than the cores can serve.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from urllib.parse import urlsplit

import orjson

from edgemind.adapters.http_calls import HttpAnswer, HttpCalls
from edgemind.adapters.scaler.compare_and_set import Held, compare_and_set, scalable
from edgemind.domain.fleet import Engine, ModelEndpoint
from edgemind.domain.swarm.records import Fence
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.errors import PermanentError, UpstreamFailed
from edgemind.ports.scaler import Replicas, StaleFence

TIMEOUT_S = 2.0
_SCALE = "/edgemind/v1/scale"


class LocalProcessScaler:
    """`Scaler` over the control route of simulated model servers, which compare and keep the fence themselves."""

    def __init__(self, calls: HttpCalls, endpoints: Iterable[ModelEndpoint]) -> None:
        self._calls = calls
        self._endpoints = {
            endpoint.model: endpoint
            for endpoint in endpoints
            if endpoint.engine is Engine.SIMULATED and endpoint.max_replicas > 1
        }

    async def scale(self, model: str, replicas: int, fence: Fence) -> Replicas:
        endpoint = scalable(self._endpoints, model, replicas)
        return await compare_and_set(
            partial(self._read, endpoint), partial(self._write, endpoint), model, replicas, fence
        )

    async def replicas(self) -> Mapping[str, Replicas]:
        return {model: (await self._read(endpoint)).replicas for model, endpoint in self._endpoints.items()}

    async def _read(self, endpoint: ModelEndpoint) -> Held:
        answer = await self._call("GET", endpoint)
        if answer.status != 200:
            raise _unexpected(endpoint, answer)
        models = _fields(endpoint, answer).objects("models")
        if endpoint.model not in models:
            raise PermanentError(f"the server at {endpoint.base_url} does not serve {endpoint.model}: restart it")
        return _held(endpoint, models[endpoint.model])

    async def _write(self, endpoint: ModelEndpoint, held: Held, replicas: int, fence: Fence) -> Held | None:
        asked = {"model": endpoint.model, "replicas": replicas, "fence": str(fence), "version": int(held.version)}
        answer = await self._call("POST", endpoint, orjson.dumps(asked))
        if answer.status == 200:
            return _held(endpoint, _fields(endpoint, answer))
        error = _fields(endpoint, answer).object_or_empty("error")
        code = error.text_or_none("code")
        if answer.status == 409 and code == "changed_since":
            return None
        if answer.status == 409 and code == "stale_fence":
            raise StaleFence(error.text("message"))
        raise _unexpected(endpoint, answer)

    async def _call(self, method: str, endpoint: ModelEndpoint, body: bytes = b"") -> HttpAnswer:
        parts = urlsplit(endpoint.base_url)
        return await self._calls.call(
            method, f"{parts.scheme}://{parts.netloc}{_SCALE}", timeout_s=TIMEOUT_S, body=body
        )


def _fields(endpoint: ModelEndpoint, answer: HttpAnswer) -> Fields:
    try:
        return Fields(orjson.loads(answer.body), "the answer")
    except (orjson.JSONDecodeError, DocumentInvalid) as exc:
        raise UpstreamFailed(f"{endpoint.base_url} answered {answer.status} with something else than JSON") from exc


def _held(endpoint: ModelEndpoint, fields: Fields) -> Held:
    fence = fields.text_or_none("fence")
    replicas = Replicas(fields.count("replicas"), fields.count("ready"), Fence.parse(fence) if fence else None)
    return Held(replicas, str(fields.count("version")))


def _unexpected(endpoint: ModelEndpoint, answer: HttpAnswer) -> Exception:
    text = f"{endpoint.base_url} answered {answer.status} when asked about replicas: {answer.body[:200]!r}"
    return (
        UpstreamFailed(text) if answer.status >= 500 else PermanentError(f"{text}; is that an edgemind model server?")
    )
