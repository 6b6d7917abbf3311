"""Drivers of a metro on one file: when the disk is full, and when the file is cut short."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.writes import Genesis
from edgemind.services.rounds.provision import provision
from tests.support.swarm_metro import LOADS, SwarmMetro

PAPER = propose(LOADS, "a", "llm")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    JsonFileSwarmStore(tmp_path, "test").genesis(Genesis())
    return tmp_path / "swarm.json"


def played(file: Path, play: Callable[[SwarmMetro], Awaitable[None]]) -> SwarmMetro:
    async def main() -> SwarmMetro:
        metro = SwarmMetro(store_of=lambda _: JsonFileSwarmStore(file.parent, "test", lock_timeout_s=20.0))
        try:
            async with asyncio.timeout(30):
                await play(metro)
        finally:
            await metro.close()
        return metro

    return asyncio.run(main())


async def troubled(metro: SwarmMetro, site: str) -> str:
    """What its driver says is wrong, once something is."""
    while (trouble := metro.drivers[site].trouble) is None:  # noqa: ASYNC110 - the store's threads tell nobody
        await asyncio.sleep(0.005)
    return trouble.why


def content(file: Path) -> str:
    return file.read_text()


def cut_short(file: Path) -> str:
    """What is left of it."""
    file.write_text(cut := content(file)[: len(content(file)) // 2])
    return cut


def replace_in_epoch_2(file: Path) -> None:
    file.rename(file.with_suffix(".damaged"))
    assert provision(JsonFileSwarmStore(file.parent, "test"), epoch=2).new


def test_while_the_disk_is_full_nothing_is_decided_and_then_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, full = os.write, True

    def refuse(descriptor: int, data: Any) -> int:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    before = content(file)

    async def play(metro: SwarmMetro) -> None:
        nonlocal full
        metro.drivers["a"].breached(PAPER)
        assert "Free some space" in await troubled(metro, "a")
        assert content(file) == before
        full = False
        await metro.learned()

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        metro = played(file, play)
    assert {tuple(witness.outcomes) for witness in metro.witnesses.values()} == {tuple(metro.witnesses["a"].outcomes)}
    assert JsonFileSwarmStore(file.parent, "test").read_current().fence == Fence(1, 1)


def test_a_file_cut_short_decides_nothing_is_left_alone_and_is_replaced_in_a_higher_epoch(file: Path) -> None:
    """As the error says: move it aside, and provision the metro with a higher epoch; the controllers may run on."""

    async def play(metro: SwarmMetro) -> None:
        metro.drivers["a"].breached(PAPER)
        await metro.learned()
        cut = cut_short(file)
        metro.drivers["b"].breached(PAPER)
        why = await troubled(metro, "b")
        assert "swarm.json cannot be used" in why
        assert "higher epoch" in why
        assert content(file) == cut
        replace_in_epoch_2(file)
        await metro.learned(rounds=2)

    metro = played(file, play)
    for witness in metro.witnesses.values():
        assert [fence for fence, _ in witness.outcomes] == [Fence(1, 1), Fence(2, 1)]
