"""Alerts to a topic of a stand-in for SNS: what arrives at its subscriber, and what comes of a topic that is away."""

import asyncio
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from edgemind.adapters.alert_sink.documents import notice_document
from edgemind.adapters.alert_sink.sns import SUBJECT_LIMIT, SnsSink
from edgemind.domain.alerts.engine import Change, Notice
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, AlertStatus
from edgemind.errors import TemporaryError
from edgemind.ports.alert_sink import ToldNotice
from tests.support.engines.aws import LocalAws
from tests.support.serving import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(120)]
ALERT = AlertStatus(
    "availability_ratio.metro.1", "availability_ratio", Level.CRITICAL, AlertState.FIRING, None,
    "Availability is 97 %\u2026\n\x1b[31m" + "x" * 200, "runbooks/availability-ratio.md", 1,
)  # fmt: skip
TOLD = ToldNotice(Notice(Change.FIRED, ALERT, frozenset({ALERT.level})), "metro", "site-a", 1_700_000_000_000)


def tell(topic: str, endpoint_url: str) -> None:
    async def course() -> None:
        sink = SnsSink(topic, endpoint_url)
        try:
            await sink.tell(TOLD)
        finally:
            await sink.close()

    asyncio.run(course())


def client(engine: LocalAws, service: str) -> Any:
    return boto3.session.Session().client(  # type: ignore[call-overload]
        service, region_name=engine.region, endpoint_url=engine.endpoint_url
    )


def test_a_notice_arrives_whole_with_what_filters_need(ministack: LocalAws) -> None:
    sns, sqs = client(ministack, "sns"), client(ministack, "sqs")
    topic = sns.create_topic(Name="edgemind-test-critical")["TopicArn"]
    queue = sqs.create_queue(QueueName="edgemind-test-critical")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    tell(topic, ministack.endpoint_url)
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    envelope = json.loads(message["Body"])
    assert json.loads(envelope["Message"]) == json.loads(json.dumps(notice_document(TOLD)))
    assert envelope["Subject"].startswith("EdgeMind: fired critical availability_ratio: Availability is 97 %")
    assert len(envelope["Subject"]) <= SUBJECT_LIMIT
    assert all(" " <= char <= "~" for char in envelope["Subject"])
    told = {name: value["Value"] for name, value in envelope["MessageAttributes"].items()}
    assert told == {"level": "critical", "change": "fired", "name": "availability_ratio"}


def test_a_topic_that_is_not_there_is_tried_again_slowly(ministack: LocalAws) -> None:
    with pytest.raises(TemporaryError) as refused:
        tell(f"arn:aws:sns:{ministack.region}:000000000000:no-such-topic", ministack.endpoint_url)
    assert refused.value.retry_after_s == 60.0


def test_a_service_that_is_away_is_tried_again(aws_credentials: None, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with pytest.raises(TemporaryError) as refused:
        tell("arn:aws:sns:eu-central-1:000000000000:topic", f"http://127.0.0.1:{port}")
    assert refused.value.retry_after_s == 1.0
