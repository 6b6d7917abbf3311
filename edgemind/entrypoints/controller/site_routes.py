"""What a site's gateways and the other controllers post here, ten times a second and in rounds: bare routes only."""

from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgemind.domain.beacons import beacon_document, parse_beacon
from edgemind.domain.certificates import site_uri
from edgemind.domain.site_tokens import SITE_TOKEN_HEADER
from edgemind.domain.swarm.documents import MESSAGE_LIMIT_BYTES
from edgemind.domain.swarm.envelopes import MessageRefused, Reason
from edgemind.domain.swarm.signing import SIGNATURE_HEADER
from edgemind.domain.wire import DocumentInvalid
from edgemind.domain.worker_reports import parse_worker_report
from edgemind.entrypoints.controller.access import AccessRules
from edgemind.entrypoints.controller.answers import ApiRefusal, json_response, refusal_response
from edgemind.entrypoints.controller.tls_identity import Identities, identities
from edgemind.errors import PermanentError
from edgemind.services.site_controller import SiteController

BODY_LIMIT_BYTES = 1024 * 1024
_STATUS = {
    Reason.FORGED: 401,
    Reason.FOREIGN: 403,
    Reason.REPLAYED: 409,
    Reason.TOO_LARGE: 413,
    Reason.UNREADABLE: 400,
}


class SiteRoutes:
    """`controller` and `access` are asked for at each request: a reload may have replaced them."""

    def __init__(self, controller: Callable[[], SiteController], access: Callable[[], AccessRules]) -> None:
        self._controller = controller
        self._access = access

    def routes(self) -> list[Route]:
        return [
            Route("/edgemind/v1/gateways/sync", self._route(self._sync), methods=["POST"]),
            Route("/edgemind/v1/beacons", self._route(self._beacon), methods=["POST"]),
            Route("/edgemind/v1/swarm", self._message, methods=["POST"]),
        ]

    def _sync(self, document: object, _: Identities | None) -> object:
        return self._controller().gateways.answer(parse_worker_report(document))

    def _beacon(self, document: object, proven: Identities | None) -> object:
        controller, beacon = self._controller(), parse_beacon(document)
        if proven is not None and site_uri(controller.neighbourhood.fleet.metro, beacon.site) not in proven:
            message = f"a beacon of {beacon.site!r} came with the certificate of {', '.join(proven)}"
            raise ApiRefusal(403, "permission_error", "wrong_certificate", message)
        return beacon_document(controller.receive_beacon(beacon))

    async def _message(self, request: Request) -> Response:
        """A signed message of a round: handed on and answered at once, whatever follows from it."""
        controller = self._controller()
        try:
            body = await _read(request, MESSAGE_LIMIT_BYTES)
            message = controller.links.inbox.open(request.headers.get(SIGNATURE_HEADER), body, identities(request))
        except MessageRefused as exc:
            status, code = _STATUS[exc.reason], f"message_{exc.reason.value}"
            return refusal_response(ApiRefusal(status, "invalid_request_error", code, str(exc)))
        controller.receive_message(message)
        return Response(status_code=204)

    def _route(self, handle: Callable[[object, Identities | None], object]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                if not self._access().is_site(request.headers.get(SITE_TOKEN_HEADER)):
                    raise _NOT_A_SITE
                proven = identities(request)
                if proven == ():
                    raise _NO_CERTIFICATE
                return json_response(handle(orjson.loads(await _body(request)), proven))
            except ApiRefusal as refusal:
                return refusal_response(refusal)
            except orjson.JSONDecodeError as exc:
                return refusal_response(ApiRefusal(400, "invalid_request_error", "invalid_json", f"not JSON: {exc}"))
            except DocumentInvalid as exc:
                return refusal_response(ApiRefusal(400, "invalid_request_error", "invalid_document", str(exc)))
            except PermanentError as exc:
                return refusal_response(ApiRefusal(409, "invalid_request_error", "wrong_site", str(exc)))

        return endpoint


_NOT_A_SITE = ApiRefusal(
    401,
    "authentication_error",
    "invalid_site_token",
    "x-edgemind-site-token is missing or is not this fleet's secret: give every site the same `fleet.secret`",
    SITE_TOKEN_HEADER,
)
_NO_CERTIFICATE = ApiRefusal(
    401,
    "authentication_error",
    "no_certificate",
    "processes of this fleet show a certificate: give the sender `fleet.tls` too",
)


async def _body(request: Request) -> bytes:
    body = await _read(request, BODY_LIMIT_BYTES)
    if len(body) > BODY_LIMIT_BYTES:
        message = f"the body is larger than {BODY_LIMIT_BYTES} bytes"
        raise ApiRefusal(413, "invalid_request_error", "body_too_large", message)
    return body


async def _read(request: Request, limit_bytes: int) -> bytes:
    """The body; of one that is too large, enough to see that."""
    body = bytearray()
    async for chunk in request.stream():
        body.extend(chunk)
        if len(body) > limit_bytes:
            break
    return bytes(body)
