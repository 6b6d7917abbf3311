"""Alerts as JSON to a URL, signed, so that the receiver can tell who sent them and when."""

import hmac
from collections.abc import Callable
from hashlib import sha256

import orjson

from edgemind.adapters.alert_sink.documents import notice_document
from edgemind.adapters.http_calls import HttpCalls
from edgemind.errors import PermanentError, UpstreamFailed
from edgemind.ports.alert_sink import ToldNotice

TIMEOUT_S = 5.0
SIGNATURE_HEADER = "x-edgemind-signature"
TIME_HEADER = "x-edgemind-timestamp"
_TRY_AGAIN = frozenset({408, 425, 429})


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC of `<timestamp>.<body>`: a receiver that compares both refuses what is old or changed."""
    return f"sha256={hmac.new(secret.encode(), timestamp.encode() + b'.' + body, sha256).hexdigest()}"


class WebhookSink:
    """`AlertSink` by POST. Any 2xx is taken; 408, 425, 429, 5xx and no answer are tried again; the rest is refused.

    The URL is a secret with many receivers: no message repeats more of it than its host.
    """

    def __init__(self, calls: HttpCalls, url: str, secret: str | None, wall_ms: Callable[[], int]) -> None:
        self._calls = calls
        self._url = url
        self._secret = secret
        self._wall_ms = wall_ms

    async def tell(self, told: ToldNotice) -> None:
        body, timestamp = orjson.dumps(notice_document(told)), str(self._wall_ms() // 1000)
        headers = [("user-agent", "edgemind"), ("idempotency-key", sha256(told.key.encode()).hexdigest())]
        if self._secret is not None:
            headers += [(TIME_HEADER, timestamp), (SIGNATURE_HEADER, signature(self._secret, timestamp, body))]
        answer = await self._calls.call("POST", self._url, timeout_s=TIMEOUT_S, headers=tuple(headers), body=body)
        if answer.status >= 500 or answer.status in _TRY_AGAIN:
            raise UpstreamFailed(f"the web hook answered {answer.status}")
        if not 200 <= answer.status < 300:
            raise PermanentError(f"the web hook refused with {answer.status}: check its URL and secret")

    async def close(self) -> None:
        """Connections belong to the process's pools."""
