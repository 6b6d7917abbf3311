import asyncio
from collections.abc import Sequence

import pytest

from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.domain.keys import ENTROPY_BYTES, ApiKey, IssuedKey, KeyRing, issue_key
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.services.watch_keys import POLL_S, KeyWatcher
from tests.support.clocks import ManualClock


class TroubledStore(MemoryStateStore):
    """Fails with what a test puts into `trouble`, and counts how often the keys were read."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = None
        self.loads = 0

    def keys_version(self) -> str:
        if isinstance(self.trouble, StoreUnavailable):
            raise self.trouble
        return super().keys_version()

    def list_keys(self) -> Sequence[ApiKey]:
        self.loads += 1
        if self.trouble:
            raise self.trouble
        return super().list_keys()


def key(number: int) -> IssuedKey:
    return issue_key("demo", bytes([number]) * ENTROPY_BYTES, created_ms=number)


def header(number: int) -> bytes:
    return f"Bearer {key(number).secret}".encode()


def test_the_keys_are_read_only_when_they_changed() -> None:
    store = TroubledStore()
    watcher = KeyWatcher(store, ManualClock())
    assert watcher.load().tenant_for(header(1)) is None

    assert watcher.poll() is None
    store.add_key(key(1).stored, live_limit=2)
    ring = watcher.poll()
    assert ring is not None
    assert ring.tenant_for(header(1)) == "demo"
    assert watcher.poll() is None
    assert store.loads == 2


def test_a_revocation_reaches_the_next_ring() -> None:
    store = TroubledStore()
    store.add_key(key(1).stored, live_limit=2)
    watcher = KeyWatcher(store, ManualClock())
    old = watcher.load()

    store.revoke_key(key(1).stored.key_id, revoked_ms=9)
    new = watcher.poll()

    assert new is watcher.ring
    assert new is not None
    assert new.tenant_for(header(1)) is None
    assert old.tenant_for(header(1)) == "demo"


@pytest.mark.parametrize("trouble", [StoreUnavailable("disk full"), StateCorrupt("cut short")])
def test_trouble_keeps_the_last_ring_and_is_counted_until_it_ends(trouble: Exception) -> None:
    store, clock = TroubledStore(), ManualClock()
    store.add_key(key(1).stored, live_limit=2)
    watcher = KeyWatcher(store, clock)
    ring = watcher.load()
    store.add_key(key(2).stored, live_limit=2)

    store.trouble = trouble
    for _ in range(3):
        clock.advance(1)
        assert watcher.poll() is None
    assert (watcher.ring, watcher.failures, watcher.last_error, watcher.age_s()) == (ring, 3, str(trouble), 3.0)

    store.trouble = None
    recovered = watcher.poll()
    assert recovered is not None
    assert recovered.tenant_for(header(2)) == "demo"
    assert (watcher.failures, watcher.last_error, watcher.age_s()) == (3, None, 0.0)


def test_a_gateway_does_not_start_without_its_keys() -> None:
    store = TroubledStore()
    store.trouble = StateCorrupt("keys.json is cut short")

    with pytest.raises(StateCorrupt, match="cut short"):
        KeyWatcher(store, ManualClock()).load()


def test_the_loop_polls_each_second_and_hands_over_each_new_ring() -> None:
    store = TroubledStore()
    watcher = KeyWatcher(store, ManualClock())
    watcher.load()
    rings: list[KeyRing] = []
    slept_s: list[float] = []

    async def sleep(seconds: float) -> None:
        slept_s.append(seconds)
        if len(slept_s) == 4:
            raise asyncio.CancelledError
        if len(slept_s) == 2:
            store.add_key(key(1).stored, live_limit=2)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watcher.run(rings.append, sleep))

    assert slept_s == [POLL_S] * 4
    assert [ring.tenant_for(header(1)) for ring in rings] == ["demo"]
