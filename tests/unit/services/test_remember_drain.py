"""What an operator took out of service stays out, whatever is restarted and however the store fares."""

import logging
from collections.abc import Mapping

import pytest

from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.errors import StoreUnavailable
from edgemind.services.own_site import OwnSite
from edgemind.services.remember_drain import DrainMemory
from tests.support.clocks import ManualClock
from tests.support.controllers import site


class Store(MemoryStateStore):
    """Counts its calls, and is out of reach when told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.away = False

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.away:
            raise StoreUnavailable("the disk is full")

    def set_drain(self, site: str, since_ms: int | None) -> None:
        self._called("set")
        super().set_drain(site, since_ms)

    def drained_sites(self) -> Mapping[str, int]:
        self._called("read")
        return super().drained_sites()


@pytest.fixture
def store() -> Store:
    return Store()


def started(store: Store) -> tuple[DrainMemory, OwnSite]:
    """A controller's part of it, just started."""
    clock = ManualClock()
    return DrainMemory(store, "site-a", clock), OwnSite(site("site-a"), 1, clock)


def test_a_drain_lasts_over_a_restart_until_it_is_undone(store: Store) -> None:
    memory, own = started(store)
    memory.sync(own)
    own.drain_requested = True
    memory.sync(own)

    memory, own = started(store)
    memory.sync(own)
    assert own.drain_requested
    own.drain_requested = False
    memory.sync(own)

    memory, own = started(store)
    memory.sync(own)
    assert not own.drain_requested


def test_another_sites_drain_is_its_own(store: Store) -> None:
    store.set_drain("site-b", 1)
    memory, own = started(store)
    memory.sync(own)
    assert not own.drain_requested


def test_the_store_is_asked_only_when_there_is_something_to_store(store: Store) -> None:
    memory, own = started(store)
    for _ in range(3):
        memory.sync(own)
    own.drain_requested = True
    for _ in range(3):
        memory.sync(own)
    assert store.calls == ["read", "set"]


def test_a_store_out_of_reach_is_told_once_and_caught_up_with(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    memory, own = started(store)
    memory.sync(own)
    own.drain_requested, store.away = True, True
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            memory.sync(own)
    assert [record.getMessage() for record in caplog.records] == [
        "whether the site drains cannot be stored, so a restart may forget it: the disk is full"
    ]
    assert own.drain_requested, "the switch itself does not wait"

    store.away = False
    memory.sync(own)
    assert set(store.drained_sites()) == {"site-a"}


def test_a_drain_asked_for_before_the_record_was_read_is_not_undone_by_it(store: Store) -> None:
    memory, own = started(store)
    own.drain_requested = True
    memory.sync(own)
    assert own.drain_requested
    assert set(store.drained_sites()) == {"site-a"}
