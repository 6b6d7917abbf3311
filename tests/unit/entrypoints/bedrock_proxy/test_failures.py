"""Failed calls: what Bedrock says of them, what a client is told, and what is logged."""

import logging

import pytest

from edgemind.adapters.inference.bedrock_faults import fault_of, refused
from edgemind.entrypoints.bedrock_proxy.failures import FailureLog, refusal
from edgemind.ports.converse import CallFailed, CallFault


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [
        (429, b"ThrottlingException:http://internal.amazon.com/coral/", CallFault.THROTTLED),
        (400, b"ServiceQuotaExceededException", CallFault.THROTTLED),
        (400, b"ValidationException", CallFault.INVALID),
        (403, b"AccessDeniedException", CallFault.DENIED),
        (403, b"ExpiredTokenException", CallFault.DENIED),
        (404, b"ResourceNotFoundException", CallFault.DENIED),
        (503, b"ServiceUnavailableException", CallFault.BUSY),
        (429, b"ModelNotReadyException", CallFault.BUSY),
        (408, b"ModelTimeoutException", CallFault.TIMED_OUT),
        (424, b"ModelErrorException", CallFault.FAILED),
        (500, b"InternalServerException", CallFault.FAILED),
        (429, b"", CallFault.THROTTLED),
        (502, b"", CallFault.FAILED),
    ],
)
def test_bedrocks_errors(status: int, kind: bytes, fault: CallFault) -> None:
    assert refused(status, {b"x-amzn-errortype": kind}, b"<html>").fault is fault


def test_within_a_stream_they_are_spelled_otherwise() -> None:
    failed = fault_of("throttlingException", b'{"message": "slow\\n down"}')
    assert (failed.fault, str(failed)) == (CallFault.THROTTLED, "Bedrock: ThrottlingException: slow down")


def test_accounts_and_roles_are_for_operators_only() -> None:
    said = b'{"Message": "User: arn:aws:sts::123456789012:assumed-role/proxy is not authorized"}'
    failed = refused(403, {b"x-amzn-errortype": b"AccessDeniedException"}, said)
    assert "123456789012" not in str(failed)
    assert "allow bedrock:InvokeModel" in str(failed)
    assert "assumed-role/proxy" in failed.detail


@pytest.mark.parametrize("fault", CallFault)
def test_every_fault_has_an_answer_and_only_passing_ones_say_when_to_come_back(fault: CallFault) -> None:
    answer = refusal(CallFailed(fault, "because", retry_after_s=1.2))
    assert 400 <= answer.status < 600
    retry = dict(answer.headers).get(b"retry-after")
    assert retry == (b"2" if fault in (CallFault.THROTTLED, CallFault.BUSY) else None)


def test_each_trouble_is_logged_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = FailureLog()
    throttled, denied = (CallFailed(fault, fault.name, detail="d") for fault in (CallFault.THROTTLED, CallFault.DENIED))
    for failed in (throttled, throttled, denied, CallFailed(CallFault.INVALID, "a client's own")):
        log.failed("m", failed)
    log.answered("m")
    log.answered("m")
    log.failed("m", denied)
    assert caplog.messages == ["m: THROTTLED (d)", "m: DENIED (d)", "m answers again", "m: DENIED (d)"]
