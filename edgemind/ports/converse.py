"""A cloud's chat models in the Converse API of Amazon Bedrock: one request in, events of one answer out."""

from collections.abc import AsyncGenerator, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol

from edgemind.errors import TemporaryError


class ConverseEvent(NamedTuple):
    """`kind` is the name of a member of Converse's event stream (`contentBlockDelta`), `body` what it holds."""

    kind: str
    body: Mapping[str, Any]


class CallFault(Enum):
    """Why a call brought no whole answer, by what its caller can do."""

    INVALID = "the request has to change"
    DENIED = "credentials, permissions or the model's id have to change"
    THROTTLED = "over the account's quota: later, or elsewhere"
    BUSY = "the service cannot take it just now"
    TIMED_OUT = "no answer in time"
    FAILED = "the service or the model failed"


class CallFailed(TemporaryError):
    """A call that failed; the message says what to do. Trying again helps unless it is INVALID or DENIED.

    `detail` is for operators only: it may name their account and role.
    """

    def __init__(self, fault: CallFault, message: str, retry_after_s: float = 1.0, detail: str = "") -> None:
        super().__init__(message, retry_after_s)
        self.fault = fault
        self.detail = detail

    @property
    def for_operators(self) -> str:
        """The message with its detail: for logs and the command line."""
        return f"{self} ({self.detail})" if self.detail else str(self)


class ConverseModels(Protocol):
    def converse(self, model_id: str, request: Mapping[str, Any], *, streaming: bool) -> AsyncGenerator[ConverseEvent]:
        """The events of one answer as they come; its last is `metadata`, and `messageStop` comes before.

        `request` is the body of Converse (bytes within it in base64). Closing the generator gives the call up at once.
        Raises CallFailed, before or after some events.
        """

    async def available(self) -> None:
        """Return if calls could be signed now. Raises CallFailed (DENIED) with what is missing."""
