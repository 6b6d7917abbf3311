"""Gateway admin listeners and model servers, asked over HTTP."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import orjson

from edgemind.adapters.http_calls import HttpCalls
from edgemind.domain.fleet import Site
from edgemind.errors import UpstreamFailed

EXPLAIN_TIMEOUT_S = 1.0
ADMIN_PORT_OFFSET = 200
PROBE_TIMEOUT_S = 2.0
"""Long against the probing interval: a server that is busy with inference answers late and is not therefore down."""


class HttpGatewayAdmin:
    """`GatewayAdmin`: where a worker says, or else worker k of the site's gateway is on worker 0's port + k."""

    def __init__(self, calls: HttpCalls, site: Site, site_token: str) -> None:
        self._calls = calls
        self._admin_url = admin_url(site)
        self._headers = (("x-edgemind-site-token", site_token),)

    async def explain(self, worker: int, decision_id: str, admin: str | None = None) -> Mapping[str, object] | None:
        origin = admin or self._declared(worker)
        url = f"{origin}/edgemind/v1/decisions/{quote(decision_id, safe='')}"
        answer = await self._calls.call("GET", url, timeout_s=EXPLAIN_TIMEOUT_S, headers=self._headers)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise UpstreamFailed(f"gateway worker {worker} answered {answer.status} when asked for {decision_id}")
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError as exc:
            raise UpstreamFailed(f"gateway worker {worker} sent an explanation that is not JSON") from exc
        if not isinstance(document, dict):
            raise UpstreamFailed(f"gateway worker {worker} sent an explanation that is not an object")
        return document

    def _declared(self, worker: int) -> str:
        if self._admin_url is None:
            raise UpstreamFailed("this site has no gateway in the configuration that could be asked")
        return worker_origin(self._admin_url, worker)


class HttpModelServerProbe:
    """`ModelServerProbe` for OpenAI-compatible (`.../v1`) and Open Inference Protocol servers."""

    def __init__(self, calls: HttpCalls) -> None:
        self._calls = calls

    async def ready(self, base_url: str, key: str | None) -> bool:
        headers = (("authorization", f"Bearer {key}"),) if key else ()
        answer = await self._calls.call("GET", probe_url(base_url), timeout_s=PROBE_TIMEOUT_S, headers=headers)
        # A 404 or 401 comes from a server that is up but does not know this path or key: the gateway learns the rest.
        return answer.status not in {502, 503, 504}


def probe_url(base_url: str) -> str:
    """The cheapest question that both protocols define: the model list, or Open Inference's readiness."""
    base_url = base_url.rstrip("/")
    return f"{base_url}/models" if base_url.endswith("/v1") else f"{base_url}/v2/health/ready"


def admin_url(site: Site) -> str | None:
    """Where worker 0 has its admin listener; undeclared it is on loopback, 200 ports above the gateway's."""
    if site.admin_url is not None or site.gateway_url is None:
        return site.admin_url
    return worker_origin(f"http://127.0.0.1:{urlsplit(site.gateway_url).port or 80}", ADMIN_PORT_OFFSET)


def worker_origin(admin_url: str, worker: int) -> str:
    """Where gateway worker `worker` has its admin listener."""
    parts = urlsplit(admin_url)
    port = (parts.port or (443 if parts.scheme == "https" else 80)) + worker
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"
