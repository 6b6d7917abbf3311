"""TLS 1.3 with a certificate made for the test, and nothing older."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway.conftest import models_at
from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, eventually, fleet_document
from tests.support.house import CHAT, House
from tests.support.wire import ask, request_bytes


def make_certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command += [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def secured(upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = tmp_path_factory.mktemp("tls")
    cert, key = make_certificate(path)
    document = fleet_document([{"name": "site-a", "models": models_at(upstreams, "a")}], limits={"drain_s": 0.2})
    folder = FleetFolder(path, document)
    keys = {"demo": folder.new_key("demo")}
    flags = ["--port", "0", "--tls-cert", str(cert), "--tls-key", str(key)]
    with GatewayProcess(folder, "site-a", *flags) as gateway:
        yield House(gateway, folder, upstreams, keys)


@pytest.fixture(scope="module")
def trusting(secured: House) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(secured.folder.path / "cert.pem"))


def test_requests_and_streams_pass_over_tls_1_3(secured: House, trusting: ssl.SSLContext) -> None:
    call = secured.call(secured.model("solo"), fake={"a": {"do": "sse"}})
    with secured.wire(tls=trusting) as wire:
        assert isinstance(wire._socket, ssl.SSLSocket)
        assert wire._socket.version() == "TLSv1.3"
        for _ in range(3):
            wire.send(call.raw)
            assert wire.answer().body.endswith(b"[DONE]\n\n")


def test_tls_1_2_is_refused(secured: House, trusting: ssl.SSLContext) -> None:
    old = ssl.create_default_context(cafile=str(secured.folder.path / "cert.pem"))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", secured.gateway.port)) as plain:
        old.wrap_socket(plain, server_hostname="localhost")
    assert ask(secured.gateway.port, "GET", "/v2/health/live", tls=trusting).status == 200


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"\x00" * 64, b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000]
)
def test_what_is_not_tls_is_dropped(secured: House, trusting: ssl.SSLContext, data: bytes) -> None:
    with secured.wire() as wire:
        wire.send(data)
        wire.end_sending()
        while not wire.closed():
            pass
    assert ask(secured.gateway.port, "GET", "/v2/health/live", tls=trusting).status == 200


def test_a_refusal_arrives_over_tls_though_a_large_body_is_under_way(secured: House, trusting: ssl.SSLContext) -> None:
    for headers in ({}, {"connection": "close"}):
        answer = ask(secured.gateway.port, "POST", CHAT, b"x" * 900_000, headers, tls=trusting)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    answer = ask(
        secured.gateway.port, "POST", CHAT, b"x" * (20 << 20), {"authorization": f"Bearer {secured.key}"}, tls=trusting
    )
    assert answer.status == 413


def test_a_hang_up_and_a_slow_reader_over_tls(secured: House, trusting: ssl.SSLContext) -> None:
    hanging = secured.call(secured.model("solo"), fake={"a": {"do": "hang"}})
    wire = secured.begin(hanging, tls=trusting)
    secured.upstreams.wait_seen(hanging.marker)
    wire.close()
    assert secured.upstreams.wait_outcome(hanging.marker) == "left"
    flood = secured.call(secured.model("solo"), fake={"a": {"do": "flood", "size": 32 << 20}})
    before_mb = secured.gateway.rss_mb()
    with secured.begin(flood, tls=trusting, receive_buffer_bytes=1 << 18) as wire:
        seen = secured.upstreams.wait_seen(flood.marker)[0]
        eventually("some of it is sent", lambda: seen.sent_bytes > 1 << 16)
        assert len(wire.answer().body) == 32 << 20
    assert secured.gateway.rss_mb() < before_mb + 16


def test_http_1_limits_hold_under_tls(secured: House, trusting: ssl.SSLContext) -> None:
    with secured.wire(tls=trusting) as wire:
        wire.send(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 40_000)
        assert wire.answer().status == 431
        assert wire.closed()
    with secured.wire(tls=trusting) as wire:
        wire.send(request_bytes("GET", "/v2/health/live") * 3)
        assert [wire.answer().status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("broken", ["cert.pem", "key.pem"])
def test_a_certificate_that_cannot_be_used_is_said_in_one_line(secured: House, tmp_path: Path, broken: str) -> None:
    cert, key = make_certificate(tmp_path)
    (tmp_path / broken).write_text("not a certificate")
    folder = FleetFolder(tmp_path, secured.folder.document)
    gateway = GatewayProcess(folder, "site-a", "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key))
    assert gateway.exit_code() not in {0, None}
    assert "TLS certificate or key cannot be used" in gateway.log()
    assert "Traceback" not in gateway.log()
