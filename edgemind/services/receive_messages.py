"""What comes in at a site's door: signed messages of rounds; refused ones are counted, and told once."""

import logging
from collections import Counter
from collections.abc import Container

import orjson

from edgemind.domain.swarm.documents import MESSAGE_LIMIT_BYTES
from edgemind.domain.swarm.envelopes import UNKNOWN, MessageGate, MessageRefused, Reason
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.signing import FleetKeys

log = logging.getLogger(__name__)


class MessageInbox:
    """`refused` counts by the sender that is named and the reason."""

    def __init__(self, keys: FleetKeys, gate: MessageGate) -> None:
        self._keys = keys
        self.gate = gate
        self.refused: Counter[tuple[str, Reason]] = Counter()

    def inherit(self, before: "MessageInbox") -> None:
        """Another configuration of the same process."""
        self.gate.inherit(before.gate)
        self.refused = before.refused

    def open(self, signature: str | None, body: bytes, proven: Container[str] | None = None) -> Message:
        """The message in a signed body. Raises MessageRefused, and has counted it then.

        `proven`: the names in the certificate of the connection it came by; None where connections have none.
        """
        try:
            return self._opened(signature, body, proven)
        except MessageRefused as refusal:
            self._count(refusal)
            raise

    def _opened(self, signature: str | None, body: bytes, proven: Container[str] | None) -> Message:
        if len(body) > MESSAGE_LIMIT_BYTES:
            raise MessageRefused(Reason.TOO_LARGE, UNKNOWN, f"it has more than {MESSAGE_LIMIT_BYTES} bytes")
        flaw = self._keys.flaw(signature, body)
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise MessageRefused(Reason.FORGED if flaw else Reason.UNREADABLE, UNKNOWN, flaw or "no JSON") from exc
        if flaw:
            raise MessageRefused(Reason.FORGED, self.gate.claimed_sender(document), flaw)
        return self.gate.admit(document, proven)

    def _count(self, refusal: MessageRefused) -> None:
        place = (refusal.sender, refusal.reason)
        self.refused[place] += 1
        if self.refused[place] == 1:
            log.warning("%s (told once; further ones are counted)", refusal)
