"""One request of one device: sent to its ingress, sent again at the next one if that is gone, and judged once."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from edgemind.domain.answer_checks import complaint
from edgemind.domain.payloads import Payload, demand_headers
from edgemind.domain.service_time import first_chunk_ms_of
from edgemind.errors import UpstreamCut, UpstreamFailed
from edgemind.ports.clock import Clock
from edgemind.ports.inference import Upstream
from edgemind.services.devices.outcomes import Outcome, Result
from edgemind.services.devices.population import Device

PATIENCE = 2.0
"""A device gives up after so many times its deadline (not before `LEAST_PATIENCE_S`): a late answer is still one."""
LEAST_PATIENCE_S = 10.0


@dataclass(slots=True)
class Reply:
    """A whole answer. `first_byte_s` is when its first body byte came."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    first_byte_s: float

    @property
    def gateway_is_leaving(self) -> bool:
        """A gateway that drains, or is full, refuses and closes; one that sheds keeps the connection."""
        return self.status == 503 and self.headers.get(b"connection", b"").lower() == b"close"

    def text(self, header: bytes) -> str | None:
        value = self.headers.get(header)
        return value.decode("latin-1") if value else None


class DeviceCalls:
    """`upstreams` opens the connections of a URL; `gateways` are the URLs of the ingresses by site."""

    def __init__(
        self, upstreams: Callable[[str], Upstream], gateways: Mapping[str, str], api_key: str, clock: Clock
    ) -> None:
        self._upstreams = upstreams
        self._gateways = gateways
        self._api_key = api_key
        self._now_s = clock.monotonic_s

    async def ask(self, device: Device, payload: Payload) -> Outcome:
        """Never raises for what a server does: that is the outcome."""
        sent_s = self._now_s()
        patience_s = max(LEAST_PATIENCE_S, PATIENCE * device.activity.deadline_ms / 1000.0)
        try:
            async with asyncio.timeout(patience_s):
                return await self._ask_in_turn(device, payload, sent_s)
        except TimeoutError:
            return self._failed(device, sent_s, f"no answer within {patience_s:g} s")

    async def healthy(self, ingress: str) -> bool:
        """Whether an ingress takes requests again."""
        url = self._gateways[ingress]
        head = f"GET /v2/health/ready HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\n\r\n".encode()
        try:
            async with asyncio.timeout(1.0):
                reply = await self._exchange(url, head, b"")
        except (UpstreamFailed, UpstreamCut, TimeoutError):
            return False
        return reply.status == 200 and reply.headers.get(b"connection") != b"close"

    async def _ask_in_turn(self, device: Device, payload: Payload, sent_s: float) -> Outcome:
        why = ""
        for moves, ingress in enumerate(device.attachment.choices()):
            url = self._gateways[ingress]
            try:
                reply = await self._exchange(url, self._head(url, device, payload), payload.body)
            except UpstreamFailed as exc:
                # Nothing was answered, so the same request may go elsewhere: an inference has no effects.
                why = str(exc)
            except UpstreamCut as exc:
                return self._failed(device, sent_s, str(exc), moves)
            else:
                device.attachment.found(ingress)
                if not reply.gateway_is_leaving:
                    return self._judged(device, reply, sent_s, moves)
                why = f"{ingress} is leaving"
            device.attachment.lost(ingress)
        return self._failed(device, sent_s, f"no ingress can be reached: {why}", len(self._gateways))

    async def _exchange(self, url: str, head: bytes, body: bytes) -> Reply:
        response = await self._upstreams(url).send(head, body)
        first_byte_s = self._now_s()
        whole = await response.whole()
        return Reply(response.status, dict(response.headers), whole, first_byte_s)

    def _head(self, url: str, device: Device, payload: Payload) -> bytes:
        lines = [f"POST {payload.path} HTTP/1.1", f"host: {urlsplit(url).netloc}"]
        headers = (*payload.headers, *demand_headers(device.activity, device.session))
        lines += [f"{name}: {value}" for name, value in headers]
        lines += [f"authorization: Bearer {self._api_key}", f"content-length: {len(payload.body)}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _judged(self, device: Device, reply: Reply, sent_s: float, moves: int) -> Outcome:
        now_s = self._now_s()
        result, why, added_ms = Result.OK, None, None
        if reply.status == 200:
            why = complaint(device.activity, reply.body)
            result = Result.OK if why is None else Result.FAILED
            own_ms = first_chunk_ms_of(reply.headers.items(), reply.body)
            added_ms = None if own_ms is None else max(0.0, (reply.first_byte_s - sent_s) * 1000.0 - own_ms)
        else:
            result = Result.SHED if reply.status in {429, 503} else Result.FAILED
            why = f"answered {reply.status}: {reply.body[:200].decode('utf-8', 'replace')}"
        return Outcome(
            activity=device.activity,
            home=device.home,
            result=result,
            ended_s=now_s,
            total_ms=(now_s - sent_s) * 1000.0,
            site=reply.text(b"x-edgemind-site"),
            reason=reply.text(b"x-edgemind-reason"),
            decision_id=reply.text(b"x-request-id"),
            added_ms=added_ms,
            moves=moves,
            why=why,
        )

    def _failed(self, device: Device, sent_s: float, why: str, moves: int = 0) -> Outcome:
        now_s = self._now_s()
        total_ms = (now_s - sent_s) * 1000.0
        return Outcome(device.activity, device.home, Result.FAILED, now_s, total_ms, moves=moves, why=why)
