"""The ways of a metrics document out of the process."""

import io
import json
import socket
import threading
from pathlib import Path

import pytest

from edgemind.adapters.telemetry.cloudwatch_emf import AgentSink, LineSink
from edgemind.bootstrap.metrics import open_metric_sink
from edgemind.domain.monitoring.emf import emf_document
from edgemind.errors import ConfigurationError, TemporaryError
from edgemind.settings import Settings, load_settings
from tests.support.serving import free_port

DOCUMENT = emf_document("m", "site-a", 1_700_000_000_000, {"requests": 3.0})


def test_a_line_is_a_document() -> None:
    output = io.StringIO()
    LineSink(output).write(DOCUMENT)
    LineSink(output).write(DOCUMENT)
    assert [json.loads(line) for line in output.getvalue().splitlines()] == [DOCUMENT, DOCUMENT]


def test_the_agent_gets_a_line_on_a_connection() -> None:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    got.append(data)

        taker = threading.Thread(target=take)
        taker.start()
        AgentSink(f"tcp://127.0.0.1:{listener.getsockname()[1]}").write(DOCUMENT)
        taker.join(10)
    assert b"".join(got).endswith(b"\n")
    assert json.loads(b"".join(got)) == DOCUMENT


def test_an_agent_that_is_not_there_can_be_tried_again() -> None:
    with pytest.raises(TemporaryError, match=r"the CloudWatch agent at 127\.0\.0\.1:"):
        AgentSink(f"tcp://127.0.0.1:{free_port()}").write(DOCUMENT)


def test_nothing_is_written_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert open_metric_sink(settings(tmp_path, ""), "site-a") is None
    assert isinstance(open_metric_sink(settings(tmp_path, "emf: line"), "site-a"), LineSink)
    assert isinstance(open_metric_sink(settings(tmp_path, "emf: agent"), "site-a"), AgentSink)


def test_a_log_group_needs_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="log_group"):
        settings(tmp_path, "emf: log_group")


def settings(folder: Path, metrics: str) -> Settings:
    config = folder / "edgemind.yaml"
    model = "{name: m, base_url: 'http://127.0.0.1:2', slots: 1, service_ms: 1}"
    site = f"{{name: site-a, gateway: 'http://127.0.0.1:1', models: [{model}]}}"
    config.write_text(f"version: 1\nmetrics: {{{metrics}}}\nauth: off\nsites: [{site}]\n", encoding="utf-8")
    return load_settings(config, {})
