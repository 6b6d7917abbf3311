"""Documents in CloudWatch's embedded metric format on their way: a log line, the agent, or CloudWatch itself."""

import contextlib
import socket
import sys
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import urlsplit

import orjson

from edgemind.adapters import aws_calls
from edgemind.errors import PermanentError, TemporaryError

TIMEOUT_S = 5.0
AGENT_PORT = 25888
"""Where the CloudWatch agent takes EMF."""


class LineSink:
    """One line each, for whatever takes a container's output to CloudWatch Logs."""

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output

    def write(self, document: Mapping[str, Any]) -> None:
        # Asked for each time: whoever started the process may have exchanged it.
        print(orjson.dumps(document).decode(), file=self._output or sys.stdout, flush=True)


class AgentSink:
    """The CloudWatch agent, by TCP. A connection for each document: one a minute is not worth keeping one open."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._place = parts.hostname or "127.0.0.1", parts.port or AGENT_PORT

    def write(self, document: Mapping[str, Any]) -> None:
        try:
            with socket.create_connection(self._place, timeout=TIMEOUT_S) as connection:
                connection.sendall(orjson.dumps(document) + b"\n")
        except OSError as exc:
            host, port = self._place
            raise TemporaryError(f"the CloudWatch agent at {host}:{port} takes no metrics: {exc}") from exc


class LogGroupSink:
    """CloudWatch Logs makes metrics of them. `stream` is the writer's own, made on first use."""

    def __init__(self, group: str, stream: str, region: str | None, endpoint_url: str | None = None) -> None:
        self._group, self._stream = group, stream
        self._place = region, endpoint_url
        self._client: Any = None

    def write(self, document: Mapping[str, Any]) -> None:
        try:
            client = self._client = self._client or self._connect()
            event = {"timestamp": int(document["_aws"]["Timestamp"]), "message": orjson.dumps(document).decode()}
            client.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=[event])
        except aws_calls.errors() as exc:
            fault = aws_calls.fault_of(exc)
            said = f"log group {self._group} takes no metrics: {fault.says}"
            raise TemporaryError(said) if fault.passing else PermanentError(said) from exc

    def _connect(self) -> Any:
        region, endpoint_url = self._place
        client = aws_calls.new_client("logs", region, endpoint_url, timeout_s=TIMEOUT_S, attempts=2)
        client.meta.events.register("before-call.cloudwatch-logs.PutLogEvents", _as_emf)
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        return client


def _as_emf(params: dict[str, Any], **_: Any) -> None:
    """Says what the events are; CloudWatch then looks for metrics in them."""
    params["headers"]["x-amzn-logs-format"] = "json/emf"
