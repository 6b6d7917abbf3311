import asyncio

import pytest

from edgemind.entrypoints.controller import loops
from edgemind.entrypoints.controller.loops import controller_loops, stop_loops, supervise
from edgemind.services.neighbourhood import BEACON_PEERS_LIMIT
from tests.support.clocks import ManualClock
from tests.support.controllers import Metro, metro, site


def test_a_defect_in_one_turn_is_logged_with_its_cause_and_the_next_turn_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns = 0

    async def main() -> None:
        enough = asyncio.Event()

        async def turn() -> None:
            nonlocal turns
            turns += 1
            if turns == 3:
                enough.set()
            else:
                raise RuntimeError(f"defect {turns}")

        task = asyncio.create_task(supervise("the beacon to site-b", lambda: 0.0, turn))
        await enough.wait()
        await stop_loops([task])
        assert task.cancelled()

    asyncio.run(main())

    assert [record.getMessage() for record in caplog.records] == ["the beacon to site-b failed and goes on"] * 2
    assert "RuntimeError: defect 1" in caplog.text


def test_a_loop_that_loses_a_cancellation_stops_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "CANCEL_AGAIN_S", 0.0)
    lost = 0

    async def main() -> None:
        async def turn() -> None:
            nonlocal lost
            if lost:
                await asyncio.Event().wait()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                # What Python 3.11's wait_for does when the awaited call ends at the same moment.
                lost += 1

        task = asyncio.create_task(supervise("stubborn", lambda: 0.0, turn))
        await asyncio.sleep(0)
        await stop_loops([task])
        assert task.done()

    asyncio.run(main())
    assert lost == 1


def test_there_is_nothing_to_stop() -> None:
    asyncio.run(stop_loops([]))


def test_sites_too_far_for_beacons_have_a_connection_kept_open_all_the_same() -> None:
    sites = [f"site-{letter}" for letter in "abcdefghijklm"]
    controller = Metro(metro(*(site(name) for name in sites), site("theirs", controller=False))).controllers["site-a"]

    async def names() -> set[str]:
        tasks = controller_loops(controller, ManualClock())
        found = {task.get_name() for task in tasks}
        await stop_loops(tasks)
        return found

    started = asyncio.run(names())
    beacons = {name for name in sites if f"the beacon to {name}" in started}
    kept = {name for name in sites if f"the connection to {name}" in started}
    assert len(beacons) == BEACON_PEERS_LIMIT
    assert kept == set(sites) - beacons - {"site-a"}
    assert "the connection to theirs" not in started
