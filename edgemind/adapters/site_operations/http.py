"""What other controllers measured and tell, over HTTP with the fleet's site token."""

from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import TypeAdapter

from edgemind.adapters.http_calls import HttpAnswer, HttpCalls
from edgemind.adapters.peers.http import QUERY_TIMEOUT_S, typed_answer
from edgemind.domain.operations.counts import SiteMeasures
from edgemind.domain.operations_status import AlertPage, SeriesPage
from edgemind.domain.site_tokens import SITE_TOKEN_HEADER
from edgemind.errors import UpstreamUnreachable
from edgemind.ports.site_operations import AlertScope

_MEASURES = TypeAdapter(SiteMeasures)
_SERIES = TypeAdapter(SeriesPage)
_ALERTS = TypeAdapter(AlertPage)


class HttpSiteOperations:
    """`SiteOperations` by URL. `urls` maps site names to controllers' addresses."""

    def __init__(self, calls: HttpCalls, urls: Mapping[str, str], site_token: str) -> None:
        self._calls = calls
        self._urls = urls
        self._headers = ((SITE_TOKEN_HEADER, site_token),)

    async def measures(self, site: str) -> SiteMeasures:
        return typed_answer(site, await self._get(site, "/measures"), _MEASURES)

    async def series(self, site: str, since_ms: int, step_ms: int) -> SeriesPage:
        query = urlencode({"scope": "site", "since": since_ms, "step_ms": step_ms})
        return typed_answer(site, await self._get(site, f"/series?{query}"), _SERIES)

    async def alerts(self, site: str, scope: AlertScope) -> AlertPage:
        return typed_answer(site, await self._get(site, f"/alerts?scope={scope.value}"), _ALERTS)

    async def _get(self, site: str, path: str) -> HttpAnswer:
        if site not in self._urls:
            raise UpstreamUnreachable(f"{site} has no controller address in the configuration")
        url = f"{self._urls[site]}/edgemind/v1{path}"
        return await self._calls.call("GET", url, timeout_s=QUERY_TIMEOUT_S, headers=self._headers)
