"""Keys that come and go, and configuration that changes under way: at once, whole, and without cutting anybody."""

import copy
import signal
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, eventually, fleet_document
from tests.support.house import House

OLD_KEY, NEW_KEY = "old-key-of-the-upstream", "new-key-of-the-upstream"


@pytest.fixture(scope="module")
def changing(upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = tmp_path_factory.mktemp("changing")
    (path / "upstream.key").write_text(OLD_KEY)
    document = fleet_document(
        [{"name": "site-a", "models": [model("first", upstreams.url("a"), key="file:upstream.key")]}],
        tenants=[
            {"name": name, "models": ["*"], "rate_per_s": 9999, "burst": 9999} for name in ("demo", "other", "slow")
        ],
    )
    folder = FleetFolder(path, document)
    keys = {name: folder.new_key(name) for name in ("demo", "other", "slow")}
    with GatewayProcess(folder, "site-a", "--port", "0") as gateway:
        yield House(gateway, folder, upstreams, keys)


@pytest.fixture
def own(changing: House) -> Iterator[House]:
    """A gateway whose configuration a test may change: the model `first` at upstream a, and keys of three tenants."""
    before = copy.deepcopy(changing.folder.document)
    yield changing
    changing.folder.document = before
    reload(changing)
    eventually("it is as it was", lambda: changing.get("/v1/models/first").status == 200)


def model(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "base_url": url, "slots": 2, "service_ms": 20, **more}


def site(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.folder.document["sites"][0]
    return found


def reload(house: House) -> None:
    house.folder.write()
    house.gateway.signal(signal.SIGHUP)


def test_a_new_key_counts_and_a_revoked_one_ends(own: House) -> None:
    first, second = own.keys["other"], own.folder.new_key("other")
    eventually("the new key counts", lambda: own.chat("first", key=second).status == 200)
    own.folder.revoke(first)
    with own.wire() as wire:

        def status() -> int:
            wire.send(call.raw)
            return wire.answer().status

        call = own.call("first", key=first)
        eventually("the revoked key ends, on the connection that used it, too", lambda: status() == 401)
        reached = own.upstreams.count(call.marker)
        assert status() == 401
        assert own.upstreams.count(call.marker) == reached
    assert own.chat("first", key=second).status == 200


def test_damaged_keys_stay_in_force_as_they_were(own: House) -> None:
    files = {file: file.read_bytes() for file in (own.folder.path / "state").rglob("*.json")}
    assert files
    try:
        for file in files:
            file.write_text("{ cut")
        time.sleep(1.2)
        assert own.chat("first").status == 200
    finally:
        for file, content in files.items():
            file.write_bytes(content)


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
        reload(own)
        eventually("the old model is gone", lambda: own.chat("first").status == 404)
        own.upstreams.release(running.marker)
        assert wire.answer().status == 200, "what was under way is answered"
    assert own.chat("second").status == 200


def test_an_invalid_file_keeps_the_old_configuration_says_so_and_is_counted(own: House) -> None:
    def failures() -> float:
        return own.gateway.metrics()["edgemind_gateway_reload_failures_total"]

    def more_than(count: float) -> bool:
        return failures() > count

    for text in ("version: 1\nsites: [", "version: 1\nsites: []\n", "", "version: 1\nsitez: 3\n"):
        before = failures()
        own.folder.write_text(text)
        own.gateway.signal(signal.SIGHUP)
        eventually("it is counted", partial(more_than, before))
        assert own.chat("first").status == 200
    own.gateway.wait_log("the new configuration was refused, the old one stays in force")
    assert "edgemind.yaml:2" in own.gateway.log(), "the line is named"
    site(own)["models"].append(model("second", own.upstreams.url("b")))
    reload(own)
    eventually("a good file is taken up again", lambda: own.chat("second").status == 200)


def test_a_new_upstream_key_is_sent_from_then_on(own: House) -> None:
    assert _sent_key(own) == f"Bearer {OLD_KEY}"
    (own.folder.path / "upstream.key").write_text(NEW_KEY)
    own.gateway.signal(signal.SIGHUP)
    eventually("the new key is sent", lambda: _sent_key(own) == f"Bearer {NEW_KEY}")


def test_new_slots_limits_and_rights_hold_at_once(own: House) -> None:
    assert own.gateway.load("first")["slots"] == 2
    site(own)["models"][0]["slots"] = 7
    site(own)["models"].append(model("second", own.upstreams.url("b")))
    own.folder.document["limits"] = {"max_body_bytes": 2048, "max_deadline_ms": 40_000}
    own.folder.document["tenants"][2]["models"] = ["second"]
    call = own.call("first", pad="x" * 3000)
    assert own.ask(call).status == 200, "its head has been seen, which must not let it pass later"
    reload(own)
    eventually("the slots are seven", lambda: own.gateway.load("first")["slots"] == 7)
    assert own.ask(call).status == 413
    assert own.chat("first", headers={"x-edgemind-deadline-ms": "50000"}).status == 400
    assert own.chat("first", key=own.keys["slow"]).status == 403


def test_a_reload_does_not_fill_a_tenants_bucket_again(own: House) -> None:
    def limited() -> bool:
        return own.chat("first", key=own.keys["slow"]).status == 429

    own.folder.document["tenants"][2] |= {"rate_per_s": 0.01, "burst": 3}
    reload(own)
    eventually("the rate is in force", limited)
    site(own)["models"].append(model("second", own.upstreams.url("b")))
    reload(own)
    eventually("the reload is done", lambda: own.chat("second").status == 200)
    assert limited()


def test_authentication_can_be_switched_off_and_on_under_way(own: House) -> None:
    own.folder.document["auth"] = "off"
    reload(own)
    eventually("it is open", lambda: own.chat("first", key="none").status == 200)
    own.folder.document["auth"] = "keys"
    reload(own)
    eventually("it is closed", lambda: own.chat("first", key="none").status == 401)
    assert own.chat("first").status == 200


def test_keys_count_although_the_gateway_began_without(
    changing: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = copy.deepcopy(changing.folder.document) | {"auth": "off"}
    del document["sites"][0]["models"][0]["key"]
    folder = FleetFolder(tmp_path_factory.mktemp("open"), document)
    with GatewayProcess(folder, "site-a", "--port", "0") as gateway:
        house = House(gateway, folder, changing.upstreams, {"demo": folder.new_key("demo")})
        assert house.chat("first", key="none").status == 200
        folder.document["auth"] = "keys"
        reload(house)
        eventually("it is closed", lambda: house.chat("first", key="none").status == 401)
        eventually("keys count", lambda: house.chat("first").status == 200)


def _sent_key(house: House) -> str | None:
    call = house.call("first")
    assert house.ask(call).status == 200
    return house.upstreams.seen(call.marker)[0].header("authorization")
