"""What runs beside the listener. A loop never ends by itself: what one turn raises is logged, and the next comes."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable

from edgemind.domain.membership import SiteState
from edgemind.errors import PermanentError, UpstreamFailed
from edgemind.ports.clock import Clock
from edgemind.services.neighbourhood import Neighbour
from edgemind.services.probe_models import PROBE_INTERVAL_S
from edgemind.services.register_site import RENEW_S
from edgemind.services.rounds.effects import TURN_S, SwarmEffects
from edgemind.services.rounds.site_rounds import SiteRounds
from edgemind.services.site_controller import SiteController

GONE_INTERVAL_S = 1.0
"""A neighbour that is gone is asked once a second: it may come back, and until then every beacon to it is wasted."""
KEEP_OPEN_S = 20.0
"""Shorter than both ends keep an idle connection."""
CANCEL_AGAIN_S = 0.2

log = logging.getLogger("edgemind.controller")


async def supervise(name: str, interval_s: Callable[[], float], turn: Callable[[], Awaitable[None]]) -> None:
    """Take a turn, sleep for the rest of the interval, and so on until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        try:
            await turn()
        except Exception:
            # The edge of the process: a defect in one turn must not end the site's beacons.
            log.exception("%s failed and goes on", name)
        # A turn that took longer than the interval is followed by a pause all the same: others want to run too.
        await asyncio.sleep(max(0.001, interval_s() - (loop.time() - began_s)))


def controller_loops(controller: SiteController, clock: Clock) -> list[asyncio.Task[None]]:
    """Start every loop of one controller; the caller cancels them."""
    policy = controller.policy
    beacon_s = policy.beacon_interval_ms / 1000.0
    tick_s = policy.tick_ms / 1000.0
    tasks = [
        _start("the routing table", lambda: tick_s, functools.partial(_tick, controller)),
        _start("the heartbeat", lambda: RENEW_S, functools.partial(asyncio.to_thread, controller.heartbeat.beat)),
        _start("the drain's record", lambda: RENEW_S, functools.partial(asyncio.to_thread, controller.remember_drain)),
    ]
    for neighbour in controller.neighbourhood.neighbours.values():
        pace = functools.partial(_beacon_interval_s, neighbour, clock, beacon_s)
        turn = functools.partial(controller.exchange.exchange, neighbour)
        tasks.append(_start(f"the beacon to {neighbour.site.name}", pace, turn))
    for site in controller.neighbourhood.fleet.sites:
        if site.controller_url and site.name not in {controller.own.site.name, *controller.neighbourhood.neighbours}:
            turn = functools.partial(_keep_open, controller, site.name)
            tasks.append(_start(f"the connection to {site.name}", lambda: KEEP_OPEN_S, turn))
    for server in controller.checks.servers:
        turn = functools.partial(controller.checks.check, server)
        tasks.append(_start(f"the check of {server.base_url}", lambda: PROBE_INTERVAL_S, turn))
    return tasks


def rounds_loops(rounds: SiteRounds) -> list[asyncio.Task[None]]:
    """What a site's part in the swarm needs beside messages: a look for breaches."""
    return [_start("the look for breaches", lambda: rounds.sample_s, functools.partial(_sample, rounds))]


def effects_loop(effects: SwarmEffects) -> asyncio.Task[None]:
    return _start("the effects of rounds", lambda: TURN_S, effects.turn)


async def stop_loops(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel and wait until they are through."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        # Again and again: a cancellation that meets the end of an awaited call (Python 3.11's wait_for) gets lost.
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def _start(name: str, interval_s: Callable[[], float], turn: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    return asyncio.create_task(supervise(name, interval_s, turn), name=name)


async def _sample(rounds: SiteRounds) -> None:
    rounds.sample()


async def _tick(controller: SiteController) -> None:
    controller.tick()


async def _keep_open(controller: SiteController, site: str) -> None:
    """Of a round every site hears, those too far for beacons too. One that is away is noticed by the others."""
    with contextlib.suppress(UpstreamFailed, PermanentError):
        await controller.links.peers.keep_open(site)


def _beacon_interval_s(neighbour: Neighbour, clock: Clock, beacon_s: float) -> float:
    gone = neighbour.membership.state(clock.monotonic_s()) is SiteState.GONE
    return max(GONE_INTERVAL_S, beacon_s) if gone else beacon_s
