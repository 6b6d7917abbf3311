"""What Bedrock's refusals mean to whoever called, and words that say what to do."""

import json
from collections.abc import Mapping

from edgemind.ports.converse import CallFailed, CallFault

THROTTLED_RETRY_S = 2.0
"""Bedrock does not say when its quota has room again."""
SAID_CHARS = 500

_CREDENTIALS = "give this process valid credentials: a role of its pod or host, AWS_PROFILE, or AWS_ACCESS_KEY_ID"
_REMEDIES = {
    "AccessDeniedException": (
        "allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model to the role of this "
        "process, and accept the model's terms in the Bedrock console (Model access)"
    ),
    "ResourceNotFoundException": "name a model or an inference profile that Bedrock offers in this region",
    "ExpiredTokenException": _CREDENTIALS,
    "IncompleteSignatureException": _CREDENTIALS,
    "InvalidSignatureException": f"{_CREDENTIALS}; a clock that is minutes off does this too",
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
}
_FAULTS: Mapping[str, CallFault] = {
    **dict.fromkeys(_REMEDIES, CallFault.DENIED),
    "ValidationException": CallFault.INVALID,
    "ThrottlingException": CallFault.THROTTLED,
    "ServiceQuotaExceededException": CallFault.THROTTLED,
    "ServiceUnavailableException": CallFault.BUSY,
    "ModelNotReadyException": CallFault.BUSY,
    "ModelTimeoutException": CallFault.TIMED_OUT,
}
_BY_STATUS = {
    400: CallFault.INVALID,
    401: CallFault.DENIED,
    403: CallFault.DENIED,
    404: CallFault.DENIED,
    408: CallFault.TIMED_OUT,
    413: CallFault.INVALID,
    429: CallFault.THROTTLED,
    503: CallFault.BUSY,
    504: CallFault.TIMED_OUT,
}


def refused(status: int, headers: Mapping[bytes, bytes], body: bytes) -> CallFailed:
    """A whole answer with a status other than 200."""
    # `ThrottlingException:http://internal.amazon.com/...`: the name is the part before the colon.
    code = headers.get(b"x-amzn-errortype", b"").decode("latin-1").partition(":")[0]
    return fault_of(code, body, _BY_STATUS.get(status, CallFault.FAILED), f"status {status}")


def fault_of(code: str, body: bytes, otherwise: CallFault = CallFault.FAILED, unnamed: str = "an error") -> CallFailed:
    """An exception by its name, spelled `ThrottlingException` or, within a stream, `throttlingException`."""
    code = code[:1].upper() + code[1:]
    fault = _FAULTS.get(code, otherwise)
    said, remedy = _message(body), _REMEDIES.get(code)
    # What is said to one who may not call names the account and the role, and answers go to devices.
    told, detail = ("", said) if fault is CallFault.DENIED else (said, "")
    text = f"Bedrock: {code or unnamed}" + (f": {told}" if told else "") + (f"; {remedy}" if remedy else "")
    return CallFailed(fault, text, THROTTLED_RETRY_S if fault is CallFault.THROTTLED else 1.0, detail)


def _message(body: bytes) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = (document.get("message") or document.get("Message")) if isinstance(document, dict) else None
    return " ".join(message.split())[:SAID_CHARS] if isinstance(message, str) else ""
