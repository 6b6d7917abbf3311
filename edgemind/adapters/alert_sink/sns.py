"""Alerts to a topic of Amazon SNS, from where AWS takes them to mail, chat and pagers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from edgemind.adapters import aws_calls
from edgemind.adapters.alert_sink.documents import notice_document, notice_line
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.alert_sink import ToldNotice

TIMEOUT_S = 5.0
SUBJECT_LIMIT = 100


def _connect(service: str, region: str, endpoint_url: str | None) -> Any:
    return aws_calls.new_client(service, region, endpoint_url, timeout_s=TIMEOUT_S)


class SnsSink:
    """`AlertSink` over boto3, which blocks: it has a thread of its own, so that a topic out of reach holds up nobody's.

    A message is the notice's JSON; its attributes `level`, `change` and `name` are for the filters of subscriptions.
    """

    def __init__(self, topic_arn: str, endpoint_url: str | None = None) -> None:
        self._topic = topic_arn
        self._region = topic_arn.split(":")[3]
        self._endpoint_url = endpoint_url
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sns")
        self._client: Any = None

    async def tell(self, told: ToldNotice) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._publish, told)

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _publish(self, told: ToldNotice) -> None:
        alert = told.notice.alert
        attributes = {"level": alert.level.value, "change": told.notice.change.value, "name": alert.name}
        try:
            client = self._client = self._client or _connect("sns", self._region, self._endpoint_url)
            client.publish(
                TopicArn=self._topic,
                Subject=_subject(notice_line(told)),
                Message=orjson.dumps(notice_document(told)).decode(),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except aws_calls.errors() as exc:
            raise _told_failure(exc) from exc


def _subject(line: str) -> str:
    """SNS takes printable ASCII that begins with a letter, and refuses the whole message for anything else."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in f"EdgeMind: {line}")
    return plain[:SUBJECT_LIMIT].strip()


def _told_failure(error: Exception) -> TemporaryError | PermanentError:
    """A missing permission or topic may be put right by whoever is told in the log: it is tried again, slowly."""
    fault = aws_calls.fault_of(error)
    refused = fault.outcome is aws_calls.Outcome.REFUSED
    said = f"SNS: {fault.says}"
    return PermanentError(said) if refused else TemporaryError(said, retry_after_s=1.0 if fault.passing else 60.0)
