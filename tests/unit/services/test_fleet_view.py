import asyncio
from dataclasses import replace

import pytest

from edgemind.domain.fleet import Tier
from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.errors import StoreUnavailable
from tests.support.controllers import Metro, metro, report, site


@pytest.fixture
def three() -> Metro:
    cloud = replace(site("simulated-cloud", "detector", "writer", controller=False), tier=Tier.CLOUD)
    group = Metro(metro(site("site-a"), site("site-b"), site("theirs", controller=False), cloud=cloud))
    for name, controller in group.controllers.items():
        controller.heartbeat.beat()
        controller.gateways.answer(report(name, stats={"requests": 5, "ok": 5, "requests_per_s": 2.0}))
    group.rounds(2)
    return group


def sites(group: Metro) -> dict[str, SiteStatus]:
    status = asyncio.run(group.controllers["site-a"].view.fleet())
    assert (status.metro, status.asked) == ("test", "site-a")
    return {one.name: one for one in status.sites}


def test_every_site_is_shown_with_what_only_its_own_controller_knows(three: Metro) -> None:
    seen = sites(three)

    assert list(seen) == ["site-a", "site-b", "theirs"]
    assert {one.state for one in seen.values()} == {SiteState.ALIVE, SiteState.DECLARED}
    for name in ("site-a", "site-b"):
        gateway = seen[name].gateway
        assert gateway is not None
        assert gateway.counters.ok == 5
        assert seen[name].table_version is not None
    assert seen["theirs"].gateway is None
    assert (seen["site-a"].rtt_ms, seen["site-b"].rtt_ms) == (None, 0.0)


def test_a_site_that_is_down_is_shown_as_last_seen(three: Metro) -> None:
    del three.running["site-b"]
    three.rounds(2)
    seen = sites(three)["site-b"]

    assert seen.state is SiteState.SUSPECTED
    assert seen.gateway is None
    assert seen.models[0].slots == 4


def test_a_drained_site_says_so_itself_and_from_afar(three: Metro) -> None:
    three.controllers["site-b"].drain_own(True)
    three.rounds(1)
    assert sites(three)["site-b"].state is SiteState.DRAINING
    assert three.controllers["site-b"].own_status().state is SiteState.DRAINING


def test_models_are_shown_where_they_are_held(three: Metro) -> None:
    models = {one.model: one for one in three.controllers["site-a"].view.models().models}

    assert [held.site for held in models["detector"].held_at] == ["site-a", "site-b", "theirs"]
    assert models["detector"].slots == 12
    assert models["detector"].in_cloud
    assert (models["writer"].held_at, models["writer"].in_cloud) == ([], True)


def test_a_model_that_is_only_asked_for_is_not_held(three: Metro) -> None:
    asked = {"in_flight": 0, "slots": 0, "service_ms": 0.0, "arrivals_per_s": 3.0}
    three.controllers["site-a"].gateways.answer(report("site-a", models={"elsewhere": asked}))
    assert "elsewhere" not in {one.model for one in three.controllers["site-a"].view.models().models}


def test_there_is_no_site_that_is_not_configured(three: Metro) -> None:
    assert asyncio.run(three.controllers["site-a"].view.site("site-z")) is None


def test_a_site_too_far_for_beacons_is_judged_by_the_registry() -> None:
    group = Metro(metro(*(site(f"site-{k:02}") for k in range(13))))
    asked = group.controllers["site-00"]
    far = next(one.name for one in group.fleet.sites[1:] if one.name not in asked.neighbourhood.neighbours)
    asked.heartbeat.beat()
    del group.running[far]

    assert asyncio.run(asked.view.site(far)).state is SiteState.SUSPECTED  # type: ignore[union-attr]
    group.controllers[far].heartbeat.beat()
    asked.heartbeat.beat()
    assert asyncio.run(asked.view.site(far)).state is SiteState.ALIVE  # type: ignore[union-attr]


def test_trouble_with_the_store_is_counted_shown_and_survived(three: Metro, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("the disk is full: make room")

    controller = three.controllers["site-a"]
    monkeypatch.setattr(three.store, "put_registration", full)
    controller.heartbeat.beat()
    controller.heartbeat.beat()
    controller.heartbeat.withdraw()
    store = controller.own_status().store
    assert store is not None
    assert (store.ok, store.failures, store.last_error) == (False, 2, "the disk is full: make room")

    monkeypatch.undo()
    controller.heartbeat.beat()
    assert controller.own_status().store == replace(store, ok=True, last_error=None)
