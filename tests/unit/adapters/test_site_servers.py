import asyncio
from dataclasses import replace
from typing import Any

import pytest

from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.adapters.site_servers.http import (
    HttpGatewayAdmin,
    HttpModelServerProbe,
    admin_url,
    probe_url,
    worker_origin,
)
from edgemind.errors import UpstreamFailed, UpstreamUnreachable
from tests.support.controllers import site
from tests.support.serving import free_port, served

DECISION = "dec-site-a-0-0123456789abcdef"


def app_of(status: int, body: bytes = b"{}") -> tuple[Any, list[tuple[str, dict[bytes, bytes]]]]:
    """An application that answers everything alike and remembers what it was asked."""
    asked: list[tuple[str, dict[bytes, bytes]]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append((scope["path"], dict(scope["headers"])))
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    return app, asked


def explained(url: str | None) -> Any:
    async def run() -> Any:
        own = replace(site("site-a"), admin_url=url, gateway_url=None)
        admin = HttpGatewayAdmin(HttpCalls(UpstreamPools(ClientLimits())), own, "between-sites")
        return await admin.explain(0, DECISION)

    return asyncio.run(run())


def probed(base_url: str, key: str | None = None) -> bool:
    async def run() -> bool:
        return await HttpModelServerProbe(HttpCalls(UpstreamPools(ClientLimits()))).ready(base_url, key)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        ("http://127.0.0.1:8401/v1", "http://127.0.0.1:8401/v1/models"),
        ("http://127.0.0.1:8401/v1/", "http://127.0.0.1:8401/v1/models"),
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400/v2/health/ready"),
    ],
)
def test_each_protocol_is_asked_its_own_question(base_url: str, asked: str) -> None:
    assert probe_url(base_url) == asked


def test_each_worker_has_its_own_listener() -> None:
    assert worker_origin("http://127.0.0.1:8300", 3) == "http://127.0.0.1:8303"
    assert worker_origin("http://[::1]:8300", 1) == "http://[::1]:8301"
    assert admin_url(site("site-a")) == "http://site-a:8300"
    assert admin_url(replace(site("site-a"), admin_url=None)) == "http://127.0.0.1:8300"
    assert admin_url(site("theirs", controller=False)) is None


@pytest.mark.parametrize(("status", "ready"), [(200, True), (401, True), (404, True), (503, False), (502, False)])
def test_a_server_that_answers_is_ready_unless_it_says_otherwise(status: int, ready: bool) -> None:
    app, asked = app_of(status)
    with served(app) as url:
        assert probed(f"{url}/v1", "secret") is ready
    assert asked[0][0] == "/v1/models"
    assert asked[0][1][b"authorization"] == b"Bearer secret"


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(UpstreamUnreachable):
        probed(f"http://127.0.0.1:{free_port()}")


def test_a_worker_explains_with_the_site_token() -> None:
    app, asked = app_of(200, b'{"id": "x"}')
    with served(app) as url:
        assert explained(url) == {"id": "x"}
    assert asked == [(f"/edgemind/v1/decisions/{DECISION}", asked[0][1])]
    assert asked[0][1][b"x-edgemind-site-token"] == b"between-sites"


def test_a_worker_is_asked_where_it_says() -> None:
    async def run(told: str) -> Any:
        own = replace(site("site-a"), admin_url=f"http://127.0.0.1:{free_port()}")
        admin = HttpGatewayAdmin(HttpCalls(UpstreamPools(ClientLimits())), own, "between-sites")
        return await admin.explain(0, DECISION, told)

    app, _ = app_of(200, b'{"id": "x"}')
    with served(app) as url:
        assert asyncio.run(run(url)) == {"id": "x"}


@pytest.mark.parametrize(("status", "body"), [(200, b"no"), (200, b"[]"), (500, b"{}"), (401, b"{}")])
def test_a_worker_that_answers_nonsense_failed(status: int, body: bytes) -> None:
    app, _ = app_of(status, body)
    with served(app) as url, pytest.raises(UpstreamFailed):
        explained(url)


def test_a_worker_that_forgot_says_so_and_a_site_without_a_gateway_cannot_be_asked() -> None:
    app, _ = app_of(404)
    with served(app) as url:
        assert explained(url) is None
    with pytest.raises(UpstreamFailed, match="no gateway"):
        explained(None)
