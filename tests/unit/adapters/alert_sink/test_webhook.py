"""The web hook against a real server: signed, taken, refused, slow and away."""

import asyncio
import hmac
import json
import logging
from hashlib import sha256

import pytest

from edgemind import bootstrap
from edgemind.adapters.alert_sink import webhook
from edgemind.adapters.alert_sink.console import ConsoleSink
from edgemind.adapters.alert_sink.documents import notice_document, notice_line
from edgemind.adapters.alert_sink.webhook import SIGNATURE_HEADER, TIME_HEADER, WebhookSink
from edgemind.adapters.http_calls import HttpCalls
from edgemind.domain.alerts.engine import Change, Notice
from edgemind.domain.kpi import Level
from edgemind.domain.limits import Limits
from edgemind.domain.operations_status import AlertState, AlertStatus
from edgemind.errors import EdgeMindError, PermanentError, TemporaryError
from edgemind.ports.alert_sink import ToldNotice
from tests.support.hook_receiver import HookReceiver, hook_receiver
from tests.support.serving import free_ports

ALERT = AlertStatus(
    "site_report_age_ms.site-b.1", "site_report_age_ms", Level.CRITICAL, AlertState.FIRING, "site-b",
    "site-b has told nothing\nfor 7 s.", "runbooks/site-report-age-ms.md", 1, value=7000.0, unit="ms",
)  # fmt: skip
TOLD = ToldNotice(Notice(Change.FIRED, ALERT, frozenset({ALERT.level})), "metro", "site-a", 1_700_000_000_000)


def tell(url: str, secret: str | None = "between-us", times: int = 1) -> None:
    async def course() -> None:
        pools = bootstrap.upstream_pools(Limits())
        sink = WebhookSink(HttpCalls(pools), url, secret, lambda: 1_700_000_123_456)
        try:
            for _ in range(times):
                await sink.tell(TOLD)
        finally:
            await sink.close()
            await pools.close()

    asyncio.run(course())


def refusal(receiver: HookReceiver) -> EdgeMindError:
    with pytest.raises(EdgeMindError) as refused:
        tell(receiver.url)
    return refused.value


def test_a_notice_is_json_that_says_everything_and_is_signed() -> None:
    with hook_receiver() as receiver:
        tell(receiver.url, times=2)
    first, second = receiver.received
    assert first.document == json.loads(json.dumps(notice_document(TOLD)))
    assert (first.document["v"], first.document["change"], first.document["alert"]["site"]) == (1, "fired", "site-b")
    wanted = hmac.new(b"between-us", b"1700000123." + first.body, sha256).hexdigest()
    assert first.headers[SIGNATURE_HEADER] == f"sha256={wanted}"
    assert first.headers[TIME_HEADER] == "1700000123"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_without_a_secret_nothing_is_signed() -> None:
    with hook_receiver() as receiver:
        tell(receiver.url, secret=None)
    assert SIGNATURE_HEADER not in receiver.received[0].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, TemporaryError), (503, TemporaryError), (429, TemporaryError), (404, PermanentError), (302, PermanentError)],
)
def test_who_may_take_it_later_is_asked_again_and_a_redirect_is_not_followed(
    status: int, kind: type[EdgeMindError]
) -> None:
    with hook_receiver() as receiver:
        receiver.of(status)
        error = refusal(receiver)
    assert isinstance(error, kind)
    assert str(status) in str(error)
    assert "hidden" not in str(error)
    assert len(receiver.received) == 1


def test_a_receiver_that_hangs_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.05)
    with hook_receiver() as receiver:
        receiver.held.clear()
        error = refusal(receiver)
    assert isinstance(error, TemporaryError)
    assert "hidden" not in str(error)


def test_a_receiver_that_is_away_is_tried_again() -> None:
    (port,) = free_ports(1)
    with pytest.raises(TemporaryError):
        tell(f"http://127.0.0.1:{port}/alerts")


def test_the_log_has_a_line_for_people_and_the_document(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="edgemind.alerts"):
        asyncio.run(ConsoleSink().tell(TOLD))
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.getMessage() == f"alert {notice_line(TOLD)}"
    assert record.getMessage() == (
        "alert fired critical site_report_age_ms of site-b: site-b has told nothing for 7 s. "
        "Runbook: docs/runbooks/site-report-age-ms.md"
    )
    assert record.__dict__["alert"] == notice_document(TOLD)
