"""Metrics documents from controllers that run, and in CloudWatch Logs as an AWS of this machine keeps it."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest

from edgemind.adapters.telemetry.cloudwatch_emf import LogGroupSink
from edgemind.domain.monitoring.emf import emf_document
from edgemind.errors import PermanentError, TemporaryError
from tests.support.controller_processes import ControllerFleet, model_server, until
from tests.support.emf_schema import SCHEMA, complaints
from tests.support.engines.aws import LocalAws
from tests.support.serving import free_port, served

pytestmark = pytest.mark.slow


def test_a_controller_writes_what_cloudwatch_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMIND_METRICS__EMF", "line")
    with served(model_server) as url, ControllerFleet(tmp_path, url).running() as fleet:
        until(lambda: documents(fleet, "site-a"), "a document of site-a")
    [document] = documents(fleet, "site-a")
    jsonschema.validate(document, SCHEMA)
    assert complaints(document) == []
    assert (document["metro"], document["site"]) == ("test", "site-a")
    assert document["store_up"] in (0, 1)


def documents(fleet: ControllerFleet, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in fleet.log(name).splitlines() if line.startswith('{"_aws"')]


@pytest.mark.engine
def test_documents_are_events_of_the_sites_own_stream(ministack: LocalAws) -> None:
    group = f"/edgemind/{uuid4().hex[:8]}/metrics"
    logs = ministack.client("logs")
    logs.create_log_group(logGroupName=group)
    at_ms = 1_795_000_000_000
    for number in range(2):
        # Two sinks: a controller that starts again finds its stream there.
        sink = LogGroupSink(group, "metro/site-a", ministack.region, ministack.endpoint_url)
        sink.write(emf_document("metro", "site-a", at_ms + number, {"requests": float(number)}))
    events = logs.get_log_events(logGroupName=group, logStreamName="metro/site-a", startFromHead=True)["events"]
    assert [json.loads(event["message"])["requests"] for event in events] == [0.0, 1.0]
    assert [event["timestamp"] for event in events] == [at_ms, at_ms + 1]


@pytest.mark.engine
def test_the_request_says_that_it_is_emf(ministack: LocalAws) -> None:
    group = f"/edgemind/{uuid4().hex[:8]}/metrics"
    ministack.client("logs").create_log_group(logGroupName=group)
    sink = LogGroupSink(group, "s", ministack.region, ministack.endpoint_url)
    sink.write(emf_document("metro", "site-a", 1_795_000_000_000, {"requests": 1.0}))
    sent: list[str | bytes] = []
    sink._client.meta.events.register(
        "before-send.cloudwatch-logs.PutLogEvents",
        lambda request, **_: sent.append(request.headers["x-amzn-logs-format"]),
    )
    sink.write(emf_document("metro", "site-a", 1_795_000_000_001, {"requests": 1.0}))
    assert [value.decode() if isinstance(value, bytes) else value for value in sent] == ["json/emf"]


@pytest.mark.engine
def test_a_group_that_is_not_there_and_an_address_that_is_not(ministack: LocalAws) -> None:
    document = emf_document("metro", "site-a", 1_795_000_000_000, {"requests": 1.0})
    with pytest.raises(PermanentError, match="log group /none takes no metrics"):
        LogGroupSink("/none", "s", ministack.region, ministack.endpoint_url).write(document)
    with pytest.raises(TemporaryError):
        LogGroupSink("/none", "s", ministack.region, f"http://127.0.0.1:{free_port()}").write(document)
