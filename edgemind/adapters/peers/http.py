"""Controllers that ask one another over HTTP with the fleet's site token, and tell one another with a signature."""

from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeVar
from urllib.parse import quote, urlencode

import orjson
from pydantic import TypeAdapter, ValidationError

from edgemind.adapters.http_calls import HttpAnswer, HttpCalls
from edgemind.domain.agent_calls import AgentCall, AgentCallPage
from edgemind.domain.beacons import Beacon, beacon_document, parse_beacon
from edgemind.domain.decision_ids import format_cursor
from edgemind.domain.fleet_status import DecisionPage, SiteStatus
from edgemind.domain.site_tokens import SITE_TOKEN_HEADER
from edgemind.domain.swarm.envelopes import Sender
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import parse_record
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.signing import SIGNATURE_HEADER, FleetKeys
from edgemind.domain.swarm.summaries import RoundPage, RoundSummary
from edgemind.domain.wire import DocumentInvalid
from edgemind.domain.worker_reports import DecisionSummary
from edgemind.errors import PermanentError, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.peers import CallCursor, DecisionCursor

BEACON_TIMEOUT_S = 0.5
"""Half of the silence after which a site is suspected: one lost beacon must not be the end of a neighbour."""
QUERY_TIMEOUT_S = 1.0
TELL_TIMEOUT_S = 0.2
"""After it a message would come too late for its round."""
_SITE_STATUS = TypeAdapter(SiteStatus)
_DECISION_PAGE = TypeAdapter(DecisionPage)
_ROUND_PAGE = TypeAdapter(RoundPage)
_CALL_PAGE = TypeAdapter(AgentCallPage)
_Document = TypeVar("_Document")
Headers = tuple[tuple[str, str], ...]


class HttpPeers:
    """`Peers` by URL. `urls` maps site names to controllers' addresses such as `http://127.0.0.1:8200`.

    Messages of rounds are of `sender` and signed with `keys`; they carry no token.
    """

    def __init__(
        self, calls: HttpCalls, urls: Mapping[str, str], site_token: str, sender: Sender, keys: FleetKeys
    ) -> None:
        self._calls = calls
        self._urls = urls
        self._headers: Headers = ((SITE_TOKEN_HEADER, site_token),)
        self._sender = sender
        self._keys = keys

    async def exchange(self, site: str, beacon: Beacon) -> Beacon:
        body = orjson.dumps(beacon_document(beacon))
        answer = await self._call(site, "POST", "/beacons", BEACON_TIMEOUT_S, body)
        if answer.status != 200:
            _refused(site, answer)
        try:
            return parse_beacon(_json(site, answer))
        except DocumentInvalid as exc:
            raise PermanentError(f"the controller of {site} sent a beacon that cannot be read: {exc}") from exc

    async def site_status(self, site: str) -> SiteStatus:
        answer = await self._call(site, "GET", f"/sites/{quote(site, safe='')}", QUERY_TIMEOUT_S)
        return typed_answer(site, answer, _SITE_STATUS)

    async def recent_decisions(self, site: str, limit: int, before: DecisionCursor | None) -> Sequence[DecisionSummary]:
        query = {"scope": "site", "limit": str(limit)}
        if before is not None:
            query["cursor"] = format_cursor(*before)
        answer = await self._call(site, "GET", f"/decisions?{urlencode(query)}", QUERY_TIMEOUT_S)
        return typed_answer(site, answer, _DECISION_PAGE).decisions

    async def explain(self, site: str, decision_id: str) -> Mapping[str, object] | None:
        answer = await self._call(site, "GET", f"/decisions/{quote(decision_id, safe='')}", QUERY_TIMEOUT_S)
        if answer.status == 404:
            return None
        if answer.status != 200:
            _refused(site, answer)
        document = _json(site, answer)
        if not isinstance(document, dict):
            raise PermanentError(f"the controller of {site} explained {decision_id} with something else than an object")
        return document

    async def recent_rounds(self, site: str, limit: int, before: Fence | None) -> Sequence[RoundSummary]:
        query = {"scope": "site", "limit": str(limit)}
        if before is not None:
            query["cursor"] = str(before)
        answer = await self._call(site, "GET", f"/rounds?{urlencode(query)}", QUERY_TIMEOUT_S)
        return typed_answer(site, answer, _ROUND_PAGE).rounds

    async def round(self, site: str, fence: Fence) -> RoundRecord | None:
        answer = await self._call(site, "GET", f"/rounds/{fence}", QUERY_TIMEOUT_S)
        if answer.status == 404:
            return None
        if answer.status != 200:
            _refused(site, answer)
        try:
            return parse_record(_json(site, answer))
        except DocumentInvalid as exc:
            raise PermanentError(f"the controller of {site} told of round {fence} what cannot be read: {exc}") from exc

    async def agent_calls(
        self, site: str, limit: int, before: CallCursor | None, fence: str | None
    ) -> Sequence[AgentCall]:
        query = {"scope": "site", "limit": str(limit)}
        if before is not None:
            query["cursor"] = format_cursor(*before)
        if fence is not None:
            query["fence"] = fence
        answer = await self._call(site, "GET", f"/agent-calls?{urlencode(query)}", QUERY_TIMEOUT_S)
        return typed_answer(site, answer, _CALL_PAGE).calls

    async def drain(self, site: str, draining: bool) -> None:
        verb = "drain" if draining else "undrain"
        answer = await self._call(site, "POST", f"/sites/{quote(site, safe='')}/{verb}", QUERY_TIMEOUT_S)
        if answer.status != 200:
            _refused(site, answer)

    async def tell(self, site: str, message: Message) -> None:
        body = orjson.dumps(self._sender.envelope(site, message))
        signature: Headers = ((SIGNATURE_HEADER, self._keys.sign(body)),)
        answer = await self._call(site, "POST", "/swarm", TELL_TIMEOUT_S, body, signature)
        if answer.status != 204:
            _refused(site, answer)

    async def keep_open(self, site: str) -> None:
        answer = await self._call(site, "GET", "/healthz", QUERY_TIMEOUT_S)
        if answer.status != 200:
            _refused(site, answer)

    async def close(self) -> None:
        await self._calls.close()

    async def _call(
        self, site: str, method: str, path: str, timeout_s: float, body: bytes = b"", headers: Headers | None = None
    ) -> HttpAnswer:
        if site not in self._urls:
            raise UpstreamUnreachable(f"{site} has no controller address in the configuration")
        url = f"{self._urls[site]}/edgemind/v1{path}"
        sent = self._headers if headers is None else headers
        return await self._calls.call(method, url, timeout_s=timeout_s, headers=sent, body=body)


def typed_answer(site: str, answer: HttpAnswer, shape: TypeAdapter[_Document]) -> _Document:
    """The document in a controller's answer; PermanentError or UpstreamFailed if there is none of this shape."""
    if answer.status != 200:
        _refused(site, answer)
    try:
        return shape.validate_json(answer.body)
    except ValidationError as exc:
        raise PermanentError(f"the controller of {site} sent an answer that cannot be read: {exc}") from exc


def _json(site: str, answer: HttpAnswer) -> object:
    try:
        document: object = orjson.loads(answer.body)
    except orjson.JSONDecodeError as exc:
        raise PermanentError(f"the controller of {site} sent an answer that is not JSON") from exc
    return document


def _refused(site: str, answer: HttpAnswer) -> NoReturn:
    """5xx and 429 may pass by themselves; anything else is a disagreement that a person has to settle."""
    said = answer.body[:300].decode("utf-8", "replace")
    if answer.status >= 500 or answer.status == 429:
        raise UpstreamFailed(f"the controller of {site} answered {answer.status}: {said}")
    hint = "; do both sites have the same fleet secret?" if answer.status in {401, 403} else ""
    raise PermanentError(f"the controller of {site} refused with {answer.status}{hint}: {said}")
