import pytest

from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.errors import PermanentError
from edgemind.ports.state_store import SiteRegistration
from edgemind.services.register_site import (
    RENEW_S,
    TTL_S,
    RegisterSite,
    SiteAddress,
    live_registrations,
    next_incarnation,
)
from tests.support.clocks import ManualClock


def entry(site: str, heartbeat_ms: int = 0, incarnation: int = 1) -> SiteRegistration:
    return SiteRegistration(site, incarnation, f"http://{site}:8200", None, heartbeat_ms, "0.1.0")


def registering(store: MemoryStateStore, clock: ManualClock, site: str = "site-a") -> RegisterSite:
    return RegisterSite(store, clock, SiteAddress(site, f"http://{site}:8200", f"http://{site}:8100", "0.1.0"))


def test_a_registration_lives_for_its_ttl_and_no_longer() -> None:
    entries = [entry("late", 4_999), entry("just", 5_000), entry("now", 10_000), entry("fast-clock", 10_500)]

    live = live_registrations(entries, now_ms=10_000, ttl_s=5.0)

    assert [registration.site for registration in live] == ["just", "now", "fast-clock"]


def test_incarnations_grow_even_when_the_clock_was_set_back() -> None:
    assert next_incarnation("site-a", [], now_ms=1_000) == 1_000
    assert next_incarnation("site-a", [entry("site-a", incarnation=400)], now_ms=1_000) == 1_000
    assert next_incarnation("site-a", [entry("site-a", incarnation=4_000)], now_ms=1_000) == 4_001
    assert next_incarnation("site-a", [entry("site-b", incarnation=4_000)], now_ms=1_000) == 1_000


def test_a_site_stays_live_while_it_renews_and_expires_when_it_stops() -> None:
    store, clock = MemoryStateStore(), ManualClock()
    site_a, site_b = registering(store, clock, "site-a"), registering(store, clock, "site-b")
    first = site_a.renew()
    site_b.renew()

    for _ in range(int(TTL_S / RENEW_S) + 1):
        clock.advance(RENEW_S)
        assert site_a.renew().incarnation == first.incarnation

    assert [live.site for live in site_a.live()] == ["site-a"]
    assert [held.site for held in store.list_registrations()] == ["site-a", "site-b"]


def test_a_restarted_controller_takes_over_and_the_old_one_is_told() -> None:
    store, clock = MemoryStateStore(), ManualClock()
    old, new = registering(store, clock), registering(store, clock)
    before = old.renew()
    after = new.renew()

    assert after.incarnation > before.incarnation
    with pytest.raises(PermanentError, match="Two controllers share this site's name"):
        old.renew()
    old.withdraw()
    assert store.list_registrations() == [after]


def test_a_site_that_withdraws_is_gone_at_once_and_may_come_back() -> None:
    store, clock = MemoryStateStore(), ManualClock()
    site = registering(store, clock)
    site.withdraw()
    site.renew()
    site.withdraw()
    assert site.live() == ()

    site.renew()
    assert [live.site for live in site.live()] == ["site-a"]
