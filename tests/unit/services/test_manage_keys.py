from collections.abc import Callable

import pytest

from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.domain.keys import KeyRing
from edgemind.errors import ConfigurationError, PermanentError
from edgemind.services.manage_keys import ManageKeys
from tests.support.clocks import ManualClock


def counting_entropy() -> Callable[[int], bytes]:
    """Entropy that differs from call to call and is the same in every run."""
    calls = iter(range(256))
    return lambda size: bytes([next(calls)]) * size


class World:
    def __init__(self) -> None:
        self.store = MemoryStateStore()
        self.clock = ManualClock(wall_ms=1_000)
        self.keys = ManageKeys(self.store, self.clock, ("demo", "clinic"), counting_entropy())


def test_a_created_key_opens_the_door_of_its_tenant_and_is_not_stored() -> None:
    world = World()
    issued = world.keys.create("clinic")

    assert world.keys.list() == [issued.stored]
    assert issued.stored.created_ms == 1_000
    assert KeyRing(world.keys.list()).tenant_for(f"Bearer {issued.secret}".encode()) == "clinic"
    assert issued.secret not in repr(world.keys.list())


def test_a_tenant_that_is_not_configured_gets_no_key_and_the_known_ones_are_named() -> None:
    world = World()

    with pytest.raises(ConfigurationError, match=r"no tenant clinc .*known: clinic, demo"):
        world.keys.create("clinc")
    assert world.keys.list() == []


def test_without_any_tenant_the_error_says_so() -> None:
    keys = ManageKeys(MemoryStateStore(), ManualClock(), (), counting_entropy())

    with pytest.raises(ConfigurationError, match="known: none"):
        keys.create("demo")


def test_a_tenant_changes_its_key_by_overlap() -> None:
    world = World()
    old = world.keys.create("demo")
    new = world.keys.create("demo")
    with pytest.raises(PermanentError, match="already has 2 live keys"):
        world.keys.create("demo")

    world.clock.advance(60)
    assert world.keys.revoke(old.stored.key_id).revoked_ms == 61_000

    ring = KeyRing(world.keys.list())
    assert ring.tenant_for(f"Bearer {old.secret}".encode()) is None
    assert ring.tenant_for(f"Bearer {new.secret}".encode()) == "demo"
    world.keys.create("demo")


def test_a_leaked_key_can_be_revoked_by_itself() -> None:
    world = World()
    leaked = world.keys.create("demo")

    assert world.keys.revoke(leaked.secret).key_id == leaked.stored.key_id


def test_revoking_a_key_that_never_was_is_refused() -> None:
    with pytest.raises(PermanentError, match="no key ffffffff"):
        World().keys.revoke("ffffffff")
