"""Keys that come and go, and configuration that changes under way: at once, whole, and without cutting anybody."""

import copy
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, eventually, fleet_document
from tests.support.house import House

REVOKED_WITHIN_S = 2.0


@pytest.fixture
def own(upstreams: FakeUpstreams, tmp_path: Path) -> Iterator[House]:
    """A gateway whose configuration a test may change: `first` at upstream a, with a key for it."""
    (tmp_path / "upstream.key").write_text("old-key-of-the-upstream")
    document = fleet_document([{"name": "site-a", "models": [model("first", upstreams.url("a"), key="file:upstream.key")]}])
    folder = FleetFolder(tmp_path, document)
    keys = {"demo": folder.new_key("demo")}
    with GatewayProcess(folder, "site-a", "--port", "0") as gateway:
        yield House(gateway, folder, upstreams, keys)


def model(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "base_url": url, "slots": 2, "service_ms": 20, **more}


def site(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.folder.document["sites"][0]
    return found


def test_a_new_key_counts_and_a_revoked_one_ends_within_two_seconds(own: House) -> None:
    second = own.folder.new_key("demo")
    eventually("the new key counts", lambda: own.chat("first", key=second).status == 200)
    own.folder.revoke(own.key)
    revoked_s = time.monotonic()
    with own.wire() as wire:
        while time.monotonic() < revoked_s + REVOKED_WITHIN_S:
            wire.send(own.call("first").raw)
            if wire.answer().status == 401:
                break
        call = own.call("first")
        wire.send(call.raw)
        assert wire.answer().status == 401, "on a connection that used it all the time as well"
        assert not own.upstreams.seen(call.marker)
    assert own.chat("first", key=second).status == 200


def test_damaged_keys_stay_in_force_as_they_were(own: House) -> None:
    for file in (own.folder.path / "state").rglob("*.json"):
        file.write_text("{ cut")
    time.sleep(1.5)
    assert own.chat("first").status == 200


def test_a_changed_file_brings_a_new_model_without_cutting_a_request(own: House) -> None:
    running = own.call("first", fake={"a": {"do": "sse", "gated": True}})
    with own.begin(running) as wire, own.wire() as kept:
        own.upstreams.release(running.marker)
        assert wire.head()[0] == 200
        kept.send(own.call("first").raw)
        assert kept.answer().status == 200
        assert own.chat("second").status == 404
        site(own)["models"].append(model("second", own.upstreams.url("b")))
        own.folder.write()
        eventually("the new model is served", lambda: own.chat("second").status == 200)
        kept.send(own.call("second").raw)
        assert kept.answer().json()["upstream"] == "b"
        own.upstreams.release(running.marker, 2)
        body = b""
        while chunk := wire.chunk():
            body += chunk
        assert body.endswith(b"[DONE]\n\n")
    assert own.gateway.load("first")["own"] == 0
    own.gateway.wait_log("configuration reloaded")


def test_sighup_loads_at_once_and_a_removed_model_is_gone(own: House) -> None:
    running = own.call("first", fake={"a": {"gated": True}})
    with own.begin(running) as wire:
        own.upstreams.wait_seen(running.marker)
        site(own)["models"] = [model("second", own.upstreams.url("b"))]
        own.folder.write()
        own.gateway.signal(signal.SIGHUP)
        eventually("the old model is gone", lambda: own.chat("first").status == 404)
        own.upstreams.release(running.marker)
        assert wire.answer().status == 200, "what was under way is answered"
    assert own.chat("second").status == 200


@pytest.mark.parametrize("text", ["version: 1\nsites: [", "version: 1\nsites: []\n", "", "version: 1\nsitez: 3\n"])
def test_an_invalid_file_keeps_the_old_configuration_says_so_and_is_counted(own: House, text: str) -> None:
    own.folder.write_text(text)
    own.gateway.signal(signal.SIGHUP)
    own.gateway.wait_log("the new configuration was refused, the old one stays in force")
    assert own.chat("first").status == 200
    assert "edgemind.yaml" in own.gateway.log()
    assert own.gateway.metrics()["edgemind_gateway_reload_failures_total"] >= 1
    own.folder.write()
    site(own)["models"].append(model("second", own.upstreams.url("b")))
    own.folder.write()
    eventually("a good file is taken up again", lambda: own.chat("second").status == 200)


def test_a_new_upstream_key_is_sent_from_then_on(own: House) -> None:
    assert _sent_key(own) == "Bearer old-key-of-the-upstream"
    (own.folder.path / "upstream.key").write_text("new-key-of-the-upstream")
    own.gateway.signal(signal.SIGHUP)
    eventually("the new key is sent", lambda: _sent_key(own) == "Bearer new-key-of-the-upstream")


def test_new_slots_limits_and_tenants_hold_at_once(own: House) -> None:
    assert own.gateway.load("first")["slots"] == 2
    before = copy.deepcopy(own.folder.document)
    site(own)["models"][0]["slots"] = 7
    own.folder.document["limits"] = {"max_body_bytes": 2048, "max_deadline_ms": 40_000}
    site(own)["models"].append(model("second", own.upstreams.url("b")))
    own.folder.document["tenants"].append({"name": "late", "models": ["second"]})
    own.folder.write()
    eventually("the slots are seven", lambda: own.gateway.load("first")["slots"] == 7)
    with own.wire() as wire:
        wire.send(own.call("first", pad="x" * 3000).raw)
        assert wire.answer().status == 413
    assert own.chat("first", headers={"x-edgemind-deadline-ms": "50000"}).status == 400
    late = own.folder.new_key("late")
    eventually("the new tenant's key counts", lambda: own.chat("first", key=late).status == 403)
    own.folder.document = before
    own.folder.write()
    eventually("and back", lambda: own.chat("first", pad="x" * 3000).status == 200)
    assert own.gateway.load("first")["slots"] == 2


def test_a_reload_does_not_fill_a_tenants_bucket_again(own: House) -> None:
    own.folder.document["tenants"][0] |= {"rate_per_s": 0.01, "burst": 3}
    own.folder.write()
    eventually("the rate is in force", lambda: own.chat("first").status == 429)
    site(own)["models"].append(model("second", own.upstreams.url("b")))
    own.folder.write()
    eventually("the reload is done", lambda: "second" in str(own.gateway.admin("/edgemind/v1/load").body))
    assert own.chat("first").status == 429


def test_authentication_can_be_switched_on_under_way(own: House) -> None:
    own.folder.document["auth"] = "off"
    own.folder.write()
    eventually("it is open", lambda: own.chat("first", key="none").status == 200)
    own.folder.document["auth"] = "keys"
    own.folder.write()
    eventually("it is closed", lambda: own.chat("first", key="none").status == 401)
    eventually("keys count", lambda: own.chat("first").status == 200)


def _sent_key(house: House) -> str | None:
    call = house.call("first")
    assert house.ask(call).status == 200
    return house.upstreams.seen(call.marker)[0].header("authorization")
