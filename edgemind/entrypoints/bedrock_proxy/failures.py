"""A failed call of Bedrock as an HTTP answer, and in the log: each kind once, until the model answers again."""

import hmac
import logging
import math

from edgemind.entrypoints.model_server.exchange import Exchange, Header, Refused
from edgemind.ports.converse import CallFailed, CallFault

log = logging.getLogger("edgemind.bedrock_proxy")

_ANSWERS = {
    CallFault.INVALID: (400, "invalid_request"),
    # The gateway in front did nothing wrong and its client even less: this server is not set up.
    CallFault.DENIED: (502, "bedrock_denied"),
    CallFault.THROTTLED: (429, "throttled"),
    CallFault.BUSY: (503, "bedrock_busy"),
    CallFault.TIMED_OUT: (504, "bedrock_timeout"),
    CallFault.FAILED: (502, "bedrock_failed"),
}
_LATER = frozenset({CallFault.THROTTLED, CallFault.BUSY})
_CLIENTS = frozenset({CallFault.INVALID})


def refusal(failed: CallFailed) -> Refused:
    status, code = _ANSWERS[failed.fault]
    headers: tuple[Header, ...] = ()
    if failed.fault in _LATER:
        headers = ((b"retry-after", b"%d" % math.ceil(failed.retry_after_s)),)
    return Refused(status, str(failed), code, headers=headers)


class FailureLog:
    """What is wrong with each model, told when it begins."""

    def __init__(self) -> None:
        self._wrong: dict[str, CallFault] = {}

    def failed(self, model: str, failed: CallFailed) -> None:
        if failed.fault in _CLIENTS or self._wrong.get(model) is failed.fault:
            return
        self._wrong[model] = failed.fault
        log.warning("%s: %s", model, failed.for_operators)

    def answered(self, model: str) -> None:
        if self._wrong.pop(model, None) is not None:
            log.info("%s answers again", model)


def check_key(exchange: Exchange, key: str | None) -> None:
    """Raises Refused (401) unless the request brings `key`, if there is one."""
    given = exchange.header(b"authorization") or b""
    if key is not None and not hmac.compare_digest(given, b"Bearer " + key.encode()):
        raise Refused(401, "send the proxy's key as Authorization: Bearer ...", "invalid_api_key")
