"""The controller process: its listener, the loops beside it, reload, and a shutdown that leaves the registry."""

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

import edgemind
from edgemind import bootstrap
from edgemind.domain.swarm.envelopes import MessageNumbers
from edgemind.domain.swarm.roster import RosterMember
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.loops import controller_loops, rounds_loops, stop_loops, supervise
from edgemind.entrypoints.controller.member_routes import MetroDoor
from edgemind.entrypoints.controller.metro_roster import MetroRoster, declared_members
from edgemind.entrypoints.controller.tls_identity import listen_with
from edgemind.ports.state_store import StateStore
from edgemind.ports.swarm_store import SwarmStore
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.metro_members import MetroMembers
from edgemind.services.register_site import RegisterSite, SiteAddress
from edgemind.services.remember_drain import DrainMemory
from edgemind.services.rounds.library_voter import LibraryVoter
from edgemind.services.rounds.membership import READ_INTERVAL_S, SwarmMembership
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.rounds.site_rounds import RoundRules, SiteRounds
from edgemind.services.rounds.told_effects import ToldEffects
from edgemind.services.site_controller import SiteController
from edgemind.settings import ConfigWatcher, Settings

CONFIG_CHECK_S = 1.0
GRACE_S = 1
"""How long requests under way may go on after SIGTERM: all of them are short."""
IDLE_S = 75
"""Longer than the callers keep an idle connection: the side that sends closes first."""
CONNECTIONS_LIMIT = 1024

log = logging.getLogger("edgemind.controller")


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: it would end the process by the signal instead of with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ControllerProcess:
    """Built inside the event loop that runs it."""

    def __init__(self, config: Path, settings: Settings, site: str) -> None:
        self._site = site
        self._watcher = ConfigWatcher(config, settings, site)
        self._clock = bootstrap.system_clock()
        self._started_ms = self._clock.wall_ms()
        self._numbers = MessageNumbers(self._started_ms)
        own = settings.site(site)
        self._tls = bootstrap.fleet_tls(settings, site)
        self._pools = bootstrap.upstream_pools(settings.limits, bootstrap.controller_contexts(settings, self._tls))
        self._loops: list[asyncio.Task[None]] = []
        address = SiteAddress(site, own.controller_url or "", own.gateway_url, edgemind.__version__)
        store = bootstrap.open_state_store(settings)
        self._heartbeat = Heartbeat(RegisterSite(store, self._clock, address), self._clock)
        self._drains = DrainMemory(store, site, self._clock)
        journal = bootstrap.open_round_journal(settings, site)
        self._history = RoundHistory(site, settings.metro, journal, self._clock)
        self.access = access_rules(settings)
        self.controller = self._controller(settings)
        swarm = bootstrap.open_swarm_store(settings)
        self._rounds = self._site_rounds(settings, swarm)
        self._roster, self._door = self._metro(settings, store, swarm)

    async def run(self, listener: socket.socket) -> None:
        """Serve on a bound socket until SIGTERM or SIGINT."""
        config = uvicorn.Config(
            controller_app(lambda: self.controller, lambda: self.access, self._door),
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=GRACE_S,
            limit_concurrency=CONNECTIONS_LIMIT,
        )
        if self._tls is not None and serves_tls(self._watcher.current, self._site):
            listen_with(config, self._tls.server)
        server = _Server(config)
        self._handle_signals(server)
        beside = self._beside()
        self._loops = controller_loops(self.controller, self._clock)
        if self._rounds is not None:
            self._rounds.start()
            beside += rounds_loops(self._rounds)
        try:
            await server.serve(sockets=[listener])
        finally:
            await stop_loops([*self._loops, *beside])
            if self._rounds is not None:
                await self._rounds.close()
            await asyncio.to_thread(self._heartbeat.withdraw)
            await asyncio.to_thread(self._history.close)
            await self._pools.close()
        log.info("controller of %s stopped", self._site)

    def _beside(self) -> list[asyncio.Task[None]]:
        """What runs as long as the process, through every reload."""
        beside = [
            asyncio.create_task(supervise("the configuration check", lambda: CONFIG_CHECK_S, self._check_config)),
            asyncio.create_task(self._pools.run()),
        ]
        if self._tls is not None:
            beside.append(asyncio.create_task(self._tls.run(self._clock)))
        if self._roster is not None:
            beside.append(asyncio.create_task(supervise("the roster", lambda: READ_INTERVAL_S, self._roster.follow)))
        return beside

    def _controller(self, settings: Settings) -> SiteController:
        own = settings.site(self._site)
        links = bootstrap.site_links(settings, own, self._pools, self._numbers, self._history.journal)
        return SiteController(
            settings.fleet(), own, settings.routing, links, self._heartbeat, self._drains, self._clock
        )

    def _metro(
        self, settings: Settings, state: StateStore, swarm: SwarmStore | None
    ) -> tuple[MetroRoster | None, MetroDoor | None]:
        """Who belongs to the metro, and the way in; nothing of it without a store that sites can share."""
        if swarm is None:
            return None, None

        def declared() -> list[RosterMember]:
            return declared_members(self._watcher.current)

        def suspected() -> frozenset[str]:
            return self.controller.neighbourhood.suspected(self._clock.monotonic_s())

        rounds = self._rounds
        membership = rounds.membership if rounds else SwarmMembership(self._site, swarm, declared, suspected)
        roster = MetroRoster(membership, lambda: self._watcher.current, lambda: self.controller, self._use)
        members = MetroMembers((state, swarm), declared, self._clock, secrets.token_bytes, membership.changed)
        return roster, MetroDoor(members, lambda: roster.settings)

    def _site_rounds(self, settings: Settings, swarm: SwarmStore | None) -> SiteRounds | None:
        """None where no rounds can be decided, or shall be."""
        store = swarm if settings.swarm.enabled else None
        if store is None:
            log.warning("%s takes part in no rounds: %s", self._site, _why_no_rounds(settings))
            return None
        rules = RoundRules(settings.swarm, settings.thresholds)
        own_part = LibraryVoter(self._site), ToldEffects(), self._history.recorder
        return SiteRounds(self.controller, rules, self._started_ms, store, *own_part, self._clock)

    def _handle_signals(self, server: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, self._watcher.poke)

    async def _check_config(self) -> None:
        reload = await asyncio.to_thread(self._watcher.check)
        if reload is None:
            return
        if reload.error is not None:
            log.error("the new configuration was refused, the old one stays in force: %s", reload.error)
        elif f"sites[{self._site}]" in reload.restart_needed:
            log.error("%s is no longer in the configuration: stop this controller", self._site)
        elif reload.changed:
            await self._use(self._roster.merged(reload.settings) if self._roster else reload.settings)
            log.info("configuration reloaded: %s", ", ".join(reload.changed))
            for field in reload.restart_needed:
                log.warning("%s changed: restart this controller for it to take effect", field)

    async def _use(self, settings: Settings) -> None:
        """A new controller over the new configuration goes on where the old one stopped; no request is cut."""
        self._pools.use_tls(bootstrap.controller_contexts(settings, self._tls))
        successor = self._controller(settings)
        await stop_loops(self._loops)
        successor.succeed(self.controller)
        self.access = access_rules(settings)
        self.controller = successor
        if self._rounds is not None:
            self._rounds.attach(successor, RoundRules(settings.swarm, settings.thresholds))
        self._loops = controller_loops(successor, self._clock)


def _why_no_rounds(settings: Settings) -> str:
    return "state.store: memory is this process's alone" if settings.swarm.enabled else "swarm.enabled is false"


def serves_tls(settings: Settings, site: str) -> bool:
    """Whether this process speaks TLS itself, and nothing in front of it."""
    return settings.access.tls is not None and (settings.site(site).controller_url or "").startswith("https:")


def access_rules(settings: Settings) -> AccessRules:
    tokens = settings.access.tokens
    by_role = {Role.VIEWER: tokens.viewer, Role.OPERATOR: tokens.operator, Role.ADMIN: tokens.admin}
    site = settings.access.site_tokens()
    return AccessRules({role: token.reveal() for role, token in by_role.items() if token}, site.current, site.previous)


def run_controller(config: Path, settings: Settings, site: str, listener: socket.socket) -> None:
    """Run the controller in this process until it is told to stop."""

    async def main() -> None:
        await ControllerProcess(config, settings, site).run(listener)

    with asyncio.Runner(loop_factory=bootstrap.new_event_loop) as runner:
        runner.run(main())
