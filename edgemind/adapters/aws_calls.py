"""Calls of AWS: clients with our timeouts, and what went wrong as something a caller can act on.

boto3 is an optional part of the installation and slow to import, so nothing here imports it before it is needed.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from edgemind.errors import ConfigurationError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class Outcome(Enum):
    """What is known of a call that brought no result. After UNKNOWN it may have been carried out, or may yet be."""

    UNKNOWN = "the answer did not come"
    BUSY = "refused for now"
    UNREACHABLE = "not reached"
    DENIED = "not allowed"
    CREDENTIALS = "no credentials"
    MISSING = "not there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """`code` is AWS's own word for it (`ThrottlingException`), or the name of the SDK's error; `says` is one line."""

    outcome: Outcome
    code: str
    says: str

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed in a moment."""
        return self.outcome in (Outcome.UNKNOWN, Outcome.BUSY, Outcome.UNREACHABLE)


REMEDIES = {
    Outcome.UNKNOWN: "Try again; if it stays so, look at the network between here and AWS",
    Outcome.BUSY: "Try again in a moment; if it stays so, somebody else uses up what it can take",
    Outcome.UNREACHABLE: "Check the network, aws.region, and the endpoint if one is set (state.endpoint_url)",
    Outcome.DENIED: "Allow this action to the role of this process (`aws sts get-caller-identity` shows it)",
    Outcome.CREDENTIALS: "Give this process credentials: a role of its pod or host, AWS_PROFILE, or AWS_ACCESS_KEY_ID",
}
"""What a person can do, whichever service it was."""

_BUSY_CODES = frozenset({
    "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown",
    "Throttling", "ThrottlingException", "TooManyRequestsException", "TransactionConflictException",
    "TransactionInProgressException",
})  # fmt: skip
_DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"})
_CREDENTIAL_CODES = frozenset({
    "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClientException",
})  # fmt: skip
_MISSING_CODES = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound", "ResourceNotFoundException"})
_CREDENTIAL_ERRORS = ("Credential", "Token", "Profile", "LoginError")
_NOT_SENT_ERRORS = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "SSLError"})
_LOST_ERRORS = frozenset({
    "ChecksumError", "ConnectionClosedError", "HTTPClientError", "IncompleteReadError", "ReadTimeoutError",
    "ResponseStreamingError",
})  # fmt: skip


CONNECTIONS = 10
"""What a client keeps open for the threads that share it."""


def require_boto3(what: str) -> None:
    """ConfigurationError with how to get it unless boto3 is installed; `what` needs it."""
    if importlib.util.find_spec("boto3") is None:
        raise ConfigurationError(
            f"{what} needs boto3, which is not installed; install it with: pip install 'edgemind-mec[aws]' "
            "(in a clone, `EDGEMIND_STATE__STORE=dynamodb ./run edgemind ...` does)"
        )


def new_client(
    service: str, region: str | None, endpoint_url: str | None = None, *, timeout_s: float, attempts: int = 1
) -> Any:
    """A boto3 client that waits `timeout_s` at most to connect, and as long again for anything to come of an answer.

    `attempts` above 1 are for calls that may be sent again, whatever became of the one before. Without a region it is
    that of the environment. Threads may share the client. Raises what `errors()` names.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        region_name=region,
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        tcp_keepalive=True,
    )
    # A session of its own: the default one is made on first use, which is not safe between threads.
    return boto3.session.Session().client(service, config=config, endpoint_url=endpoint_url)  # type: ignore[call-overload]


def errors() -> tuple[type[Exception], ...]:
    """Everything that a client may raise for reasons that are not our own mistakes."""
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def fault_of(error: Exception) -> Fault:
    """What one of `errors()` means."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _fault_of_answer(error)
    name = type(error).__name__
    return Fault(_outcome_of_error(name), name, " ".join(str(error).split()))


def _outcome_of_error(name: str) -> Outcome:
    if name in _NOT_SENT_ERRORS:
        return Outcome.UNREACHABLE
    if name in _LOST_ERRORS:
        return Outcome.UNKNOWN
    if any(word in name for word in _CREDENTIAL_ERRORS):
        return Outcome.CREDENTIALS
    return Outcome.REFUSED


def _fault_of_answer(error: ClientError) -> Fault:
    details = error.response.get("Error", {})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(details.get("Code") or status)
    said = " ".join(str(details.get("Message") or "").split())
    return Fault(_outcome_of_answer(code, status), code, f"{code}: {said}" if said else code)


def _outcome_of_answer(code: str, status: int) -> Outcome:
    for codes, outcome in (
        (_BUSY_CODES, Outcome.BUSY),
        (_DENIED_CODES, Outcome.DENIED),
        (_CREDENTIAL_CODES, Outcome.CREDENTIALS),
        (_MISSING_CODES, Outcome.MISSING),
    ):
        if code in codes:
            return outcome
    if status >= 500:
        return Outcome.UNKNOWN
    return Outcome.DENIED if status == 403 else Outcome.REFUSED
