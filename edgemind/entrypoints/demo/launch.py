"""From nothing to a fleet that answers, and what a person needs to know to use it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

from edgemind.domain.device_mixes import EVERYDAY
from edgemind.domain.payloads import payload_of
from edgemind.domain.workload import Arrival
from edgemind.entrypoints.demo.layout import DemoFleet, url
from edgemind.entrypoints.demo.plans import fleet_plans, page_plan
from edgemind.entrypoints.demo.readiness import ASK_EVERY_S, NeverReady, Readiness
from edgemind.entrypoints.demo.running import RunningFleet
from edgemind.services.devices.outcomes import Outcome, Result
from edgemind.services.devices.population import Population


class Launch:
    """`say` gets lines for people."""

    def __init__(self, fleet: RunningFleet, readiness: Readiness, say: Callable[[str], None]) -> None:
        self._fleet = fleet
        self._readiness = readiness
        self._say = say

    async def fleet_up(self, config: Path, seed: int) -> None:
        """Start every process and wait until the fleet serves. Raises what `Readiness` raises."""
        layout = self._fleet.layout
        plans = fleet_plans(layout, config, seed)
        self._say(f"starting {len(plans)} processes ...")
        children = [self._fleet.processes.start(plan) for plan in plans]
        await self._readiness.processes_ready(children)
        first = await self._first_answer()
        took = f"{self._readiness.elapsed_s():.1f} s"
        self._say(f"first routed request after {took}: {first.decision_id} ran at {first.site} ({first.reason})")
        await self._readiness.fleet_ready(self._fleet.api, layout.names)

    def start_page(self, viewer_token: str) -> None:
        """The dashboard, if there is one: last, because it takes a second of processor time to come up."""
        plan = page_plan(self._fleet.layout, viewer_token)
        if isinstance(plan, str):
            self._say(f"dashboard     none: {plan}")
        else:
            self._fleet.processes.start(plan)
            self._say(f"dashboard     {url(self._fleet.layout.page_port)} (in a moment)")

    async def _first_answer(self) -> Outcome:
        """As a device asks; again while it is shed, for a controller may not have checked a model server yet."""
        layout = self._fleet.layout
        device = Population(layout.names, layout.ingresses()).device_of(Arrival(0.0, 0, 0, EVERYDAY[0]))
        payload = payload_of(EVERYDAY[0], Random(0))
        while (outcome := await self._fleet.devices.ask(device, payload)).result is not Result.OK:
            if outcome.result is Result.FAILED:
                raise NeverReady(f"the first request failed: {outcome.why}")
            self._readiness.check(f"no request is answered: {outcome.why}")
            await asyncio.sleep(ASK_EVERY_S)
        return outcome


def welcome(fleet: DemoFleet, key: str) -> str:
    """Where everything is, and a request to paste."""
    rows = [f"{site.name:<13} {site.gateway_url}   fleet API {site.controller_url}" for site in fleet.sites]
    message = '"messages": [{"role": "user", "content": "Say hello."}]'
    curl = (
        f"  curl {fleet.sites[0].gateway_url}/v1/chat/completions \\\n"
        f'    -H "authorization: Bearer {key}" \\\n'
        '    -H "content-type: application/json" \\\n'
        f'    -d \'{{"model": "{fleet.chat_model}", "max_tokens": 24, {message}}}\''
    )
    return "\n".join([*rows, f"demo key      {key}", "", "Ask it something:", curl])
