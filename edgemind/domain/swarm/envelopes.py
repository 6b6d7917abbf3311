"""The envelope of a message between sites: from whom to whom, and which number; and what is refused, by what name."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from edgemind.domain.certificates import site_uri
from edgemind.domain.swarm.documents import COUNT_LIMIT, message_document, parse_message
from edgemind.domain.swarm.messages import Acknowledge, Message
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.errors import PermanentError

ENVELOPE_VERSION = 1
WINDOW = 1024
"""Numbers that may come late, behind a later one. A site sends some three messages a round to each of the others."""
UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a message is not taken. FORGED: no key of the fleet. FOREIGN: of the fleet, and not for us from there."""

    FORGED = "forged"
    FOREIGN = "foreign"
    REPLAYED = "replayed"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


class MessageRefused(PermanentError):
    """`sender` is the one it names, if that is a site we know, else `unknown`: only the key's holder is proven."""

    def __init__(self, reason: Reason, sender: str, why: str) -> None:
        super().__init__(f"a message from {sender} is {reason.value}: {why}")
        self.reason = reason
        self.sender = sender


class MessageNumbers:
    """One start of a controller: `incarnation` is higher with each, `next` counts its messages, across reloads too."""

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self._numbers = count(1)

    def next(self) -> int:
        return next(self._numbers)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a site is to the others."""

    metro: str
    site: str
    numbers: MessageNumbers

    def envelope(self, receiver: str, message: Message) -> dict[str, Any]:
        """The document that `MessageGate.admit` reads; each has a number of its own."""
        return {
            "v": ENVELOPE_VERSION,
            "metro": self.metro,
            "sender": self.site,
            "receiver": receiver,
            "incarnation": self.numbers.incarnation,
            "seq": self.numbers.next(),
            "message": message_document(message),
        }


class ReplayWindow:
    """The numbers seen of one incarnation: each is taken once, and none that is `WINDOW` behind the newest."""

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self._newest = 0
        self._seen = 0
        """Bit k: the number k before the newest was seen."""

    def take(self, seq: int) -> bool:
        ahead = seq - self._newest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self._newest = seq
            return True
        if -ahead >= WINDOW or self._seen >> -ahead & 1:
            return False
        self._seen |= 1 << -ahead
        return True


class MessageGate:
    """Which signed messages `site` takes: of its metro, addressed to it, from `senders`, each once."""

    def __init__(self, metro: str, site: str, senders: Callable[[], Container[str]]) -> None:
        self._metro = metro
        self._site = site
        self.senders = senders
        self._windows: dict[str, ReplayWindow] = {}

    def inherit(self, before: "MessageGate") -> None:
        """Another configuration of the same process: what was seen stays seen."""
        self._windows = before._windows

    def claimed_sender(self, document: object) -> str:
        """Whom a document names as its sender, for a log: a site we know, or `unknown`."""
        name = document.get("sender") if isinstance(document, Mapping) else None
        return name if isinstance(name, str) and self._expects(name) else UNKNOWN

    def admit(self, document: object, proven: Container[str] | None = None) -> Message:
        """The message of an envelope whose signature is good. Raises MessageRefused.

        `proven`: names in the sender's certificate; None where connections have none.
        """
        claimed = self.claimed_sender(document)
        try:
            fields = Fields(document, "envelope")
            if fields.count("v") < ENVELOPE_VERSION:
                raise DocumentInvalid(f"envelope.v must be {ENVELOPE_VERSION} or newer: upgrade the site that sent it")
            sender = fields.text("sender")
            incarnation, seq = fields.count("incarnation", limit=COUNT_LIMIT), fields.count("seq", limit=COUNT_LIMIT)
            self._check_ends(sender, fields.text("metro"), fields.text("receiver"))
            message = parse_message(fields.value("message"))
        except DocumentInvalid as exc:
            raise MessageRefused(Reason.UNREADABLE, claimed, str(exc)) from exc
        _check_author(sender, message)
        if proven is not None and site_uri(self._metro, sender) not in proven:
            raise MessageRefused(Reason.FOREIGN, sender, "its connection does not show that site's certificate")
        self._check_number(sender, incarnation, seq)
        return message

    def _expects(self, sender: str) -> bool:
        return sender != self._site and sender in self.senders()

    def _check_ends(self, sender: str, metro: str, receiver: str) -> None:
        if metro != self._metro:
            raise MessageRefused(Reason.FOREIGN, UNKNOWN, f"it is of metro {metro!r}, and this is {self._metro}")
        if not self._expects(sender):
            why = f"{self._site} expects no messages from {sender!r}: give both the same edgemind.yaml"
            raise MessageRefused(Reason.FOREIGN, UNKNOWN, why)
        if receiver != self._site:
            why = f"it is for {receiver!r}, and this is {self._site}: check `controller` addresses"
            raise MessageRefused(Reason.FOREIGN, sender, why)

    def _check_number(self, sender: str, incarnation: int, seq: int) -> None:
        window = self._windows.get(sender)
        if window is None or incarnation > window.incarnation:
            window = self._windows[sender] = ReplayWindow(incarnation)
        if incarnation < window.incarnation:
            why = "a later start of that controller is known; if it is the newest one, its clock was set back"
            raise MessageRefused(Reason.REPLAYED, sender, why)
        if not window.take(seq):
            raise MessageRefused(Reason.REPLAYED, sender, f"number {seq} was seen already, or is too old to tell")


def _check_author(sender: str, message: Message) -> None:
    """A site speaks for itself only; what was decided anybody may pass on, but under its own name."""
    if message.sender != sender:
        raise MessageRefused(Reason.FOREIGN, sender, f"what it holds is by {message.sender!r}")
    if isinstance(message, Acknowledge) and message.ballot.site != sender:
        raise MessageRefused(Reason.FOREIGN, sender, f"it acknowledges a ballot of {message.ballot.site!r}")
