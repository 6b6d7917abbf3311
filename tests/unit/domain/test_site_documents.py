"""Sites that joined on their way from a controller to its gateways."""

import json
from dataclasses import replace
from typing import Any

import pytest

from edgemind.domain.fleet import DeviceClass, Fleet, ModelEndpoint, Site
from edgemind.domain.site_documents import JoinedSites, joined_document, parse_joined
from edgemind.domain.wire import DocumentInvalid

SITE = Site(
    "site-n",
    frozenset({"de", "eu"}),
    (ModelEndpoint("llama", "http://n:8401/v1", 8, 300.0, size_gb=1.5, load_ms=20.0, key="secret"),),
    gateway_url="http://n:8100",
    controller_url="http://n:8200",
    device_classes=frozenset({DeviceClass.XR}),
    rtt_ms={"site-a": 4.0},
)


def on_the_wire(joined: JoinedSites) -> Any:
    return json.loads(json.dumps(joined_document(joined)))


def test_a_site_survives_the_wire_without_its_keys() -> None:
    sent = on_the_wire(JoinedSites(3, (SITE,)))
    assert "secret" not in json.dumps(sent)
    keyless = replace(SITE, endpoints=(replace(SITE.endpoints[0], key=None),))
    assert parse_joined(sent) == JoinedSites(3, (keyless,))


def test_what_a_newer_controller_adds_is_ignored() -> None:
    sent = on_the_wire(JoinedSites(3, (SITE,)))
    sent["sites"][0] |= {"tint": "blue", "device_classes": ["xr", "toaster"]}
    assert parse_joined(sent).sites[0].device_classes == {DeviceClass.XR}


@pytest.mark.parametrize("nonsense", [None, [], {"version": -1}, {"version": 1, "sites": [{}]}])
def test_what_cannot_be_read_is_named(nonsense: object) -> None:
    with pytest.raises(DocumentInvalid, match=r"joined"):
        parse_joined(nonsense)


def test_a_declared_site_stays_as_declared() -> None:
    declared = replace(SITE, gateway_url="http://declared:1")
    other = replace(SITE, name="site-m")
    assert Fleet("m", (declared,)).with_sites((SITE, other)).sites == (declared, other)
