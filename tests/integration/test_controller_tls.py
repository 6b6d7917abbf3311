"""Controllers behind TLS: a site needs its certificate and the fleet's secret, a person a token only."""

import asyncio
import http.client
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edgemind.adapters.fleet_tls import FleetTls
from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.adapters.peers.http import HttpPeers
from edgemind.domain.beacons import Beacon
from edgemind.domain.swarm.envelopes import MessageNumbers, Reason, Sender
from edgemind.domain.swarm.messages import Message, Wake
from edgemind.domain.swarm.records import KEEP, Fence
from edgemind.domain.swarm.signing import FleetKeys
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.errors import PermanentError, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.peers import Peers
from edgemind.services.site_controller import SiteController
from tests.support.controllers import SECRET, Metro, metro, report_document, site
from tests.support.fleet_certificates import METRO, Certificates
from tests.support.serving import served

WAKE = Wake("site-a", Fence(1, 7), (KEEP,), ("site-a", "site-b"))


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certs")


@pytest.fixture
def controller() -> SiteController:
    return Metro(metro(site("site-a"), site("site-b"), site("site-c"))).controllers["site-b"]


@pytest.fixture
def url(certificates: Certificates, controller: SiteController) -> Iterator[str]:
    rules = AccessRules({Role.VIEWER: "look"}, SECRET)
    with served(controller_app(lambda: controller, lambda: rules), certificates.tls("site-b").server) as address:
        yield address


def ask(url: str, tls: ssl.SSLContext, conversation: Callable[[Peers], Awaitable[Any]]) -> Any:
    """As site-a, with whatever certificate is in the context."""

    async def run() -> Any:
        pools = UpstreamPools(ClientLimits(), {url: tls})
        sender = Sender(METRO, "site-a", MessageNumbers(1))
        peers = HttpPeers(HttpCalls(pools), {"site-b": url}, SECRET, sender, FleetKeys([SECRET]))
        try:
            return await conversation(peers)
        finally:
            await peers.close()

    return asyncio.run(run())


def without_certificate(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates.files("ca").certificate))


def test_a_site_with_its_certificate_is_heard(url: str, certificates: Certificates, controller: SiteController) -> None:
    arrived: list[Message] = []
    controller.on_message = arrived.append
    tls = certificates.tls("site-a").client

    assert ask(url, tls, lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1))).site == "site-b"
    ask(url, tls, lambda peers: peers.tell("site-b", WAKE))
    assert arrived == [WAKE]


def test_a_message_needs_no_new_connection_where_one_is_kept_open(url: str, certificates: Certificates) -> None:
    pools = UpstreamPools(ClientLimits(), {url: certificates.tls("site-a").client})
    peers = HttpPeers(
        HttpCalls(pools), {"site-b": url}, SECRET, Sender(METRO, "site-a", MessageNumbers(1)), FleetKeys([SECRET])
    )

    async def talk() -> bool:
        await peers.keep_open("site-b")
        (kept,) = pools(url)._all
        await peers.tell("site-b", WAKE)
        (used,) = pools(url)._all
        await peers.close()
        return kept is used

    assert asyncio.run(talk())


def test_another_sites_certificate_is_not_enough(
    url: str, certificates: Certificates, controller: SiteController
) -> None:
    """The holder of the fleet's secret and of one certificate cannot speak for another site."""
    tls = certificates.tls("site-c").client
    with pytest.raises(PermanentError, match="certificate of spiffe://test/site/site-c"):
        ask(url, tls, lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))
    with pytest.raises(PermanentError, match="does not show that site's certificate"):
        ask(url, tls, lambda peers: peers.tell("site-b", WAKE))

    assert controller.neighbourhood.neighbours["site-a"].beacon is None
    assert controller.links.inbox.refused == {("site-a", Reason.FOREIGN): 1}


def test_a_certificate_of_another_metro_is_not_enough(url: str, certificates: Certificates) -> None:
    certificates.folder._metro = "south"
    tls = FleetTls(certificates.issue("site-a"), None).client
    with pytest.raises(PermanentError, match="spiffe://south/site/site-a"):
        ask(url, tls, lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))


def test_the_secret_alone_is_not_enough(url: str, certificates: Certificates) -> None:
    tls = without_certificate(certificates)
    with pytest.raises(PermanentError, match="no_certificate"):
        ask(url, tls, lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))
    with pytest.raises(PermanentError, match="message_foreign"):
        ask(url, tls, lambda peers: peers.tell("site-b", WAKE))
    with pytest.raises(PermanentError, match="missing_token"):
        ask(url, tls, lambda peers: peers.drain("site-b", True))


def test_a_certificate_of_somebody_elses_authority_gets_no_connection(
    url: str, certificates: Certificates, tmp_path: Path
) -> None:
    stranger = Certificates(tmp_path / "stranger").issue("site-a")
    tls = without_certificate(certificates)
    tls.load_cert_chain(stranger.certificate, stranger.key)
    with pytest.raises(UpstreamFailed):
        ask(url, tls, lambda peers: peers.exchange("site-b", Beacon("site-a", 5, 1)))


def test_a_controller_of_somebody_elses_authority_is_told_nothing(url: str, tmp_path: Path) -> None:
    stranger = Certificates(tmp_path / "stranger").tls("site-a").client
    with pytest.raises(UpstreamUnreachable, match="certificate verify failed"):
        ask(url, stranger, lambda peers: peers.tell("site-b", WAKE))


def fetched(url: str, tls: ssl.SSLContext, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=tls, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", f"/edgemind/v1{path}", json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_people_need_their_token_and_no_certificate(url: str, certificates: Certificates) -> None:
    tls = without_certificate(certificates)
    assert fetched(url, tls, "/fleet", {"authorization": "Bearer look"})[0] == 200
    assert fetched(url, tls, "/fleet", {"authorization": "Bearer wrong"})[0] == 401


def test_older_tls_is_not_spoken(url: str, certificates: Certificates) -> None:
    tls = without_certificate(certificates)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        fetched(url, tls, "/fleet", {"authorization": "Bearer look"})


def test_a_gateway_shows_the_certificate_of_its_site(url: str, certificates: Certificates) -> None:
    token, report = {"x-edgemind-site-token": SECRET}, report_document("site-b")
    gateway = certificates.tls("site-b").client
    assert fetched(url, gateway, "/gateways/sync", token, report)[0] == 200
    status, answer = fetched(url, without_certificate(certificates), "/gateways/sync", token, report)
    assert (status, answer["error"]["code"]) == (401, "no_certificate")
