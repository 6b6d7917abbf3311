"""The controller process: its listener, the loops beside it, reload, and a shutdown that leaves the registry."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

import edgemind
from edgemind import bootstrap
from edgemind.domain.swarm.envelopes import MessageNumbers
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.loops import controller_loops, rounds_loops, stop_loops, supervise
from edgemind.entrypoints.controller.tls_identity import listen_with
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.register_site import RegisterSite, SiteAddress
from edgemind.services.remember_drain import DrainMemory
from edgemind.services.rounds.library_voter import LibraryVoter
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
        self._rounds = self._site_rounds(settings)

    async def run(self, listener: socket.socket) -> None:
        """Serve on a bound socket until SIGTERM or SIGINT."""
        config = uvicorn.Config(
            controller_app(lambda: self.controller, lambda: self.access),
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
        beside = [
            asyncio.create_task(supervise("the configuration check", lambda: CONFIG_CHECK_S, self._check_config)),
            asyncio.create_task(self._pools.run()),
        ]
        if self._tls is not None:
            beside.append(asyncio.create_task(self._tls.run(self._clock)))
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

    def _controller(self, settings: Settings) -> SiteController:
        own = settings.site(self._site)
        links = bootstrap.site_links(settings, own, self._pools, self._numbers, self._history.journal)
        return SiteController(
            settings.fleet(), own, settings.routing, links, self._heartbeat, self._drains, self._clock
        )

    def _site_rounds(self, settings: Settings) -> SiteRounds | None:
        """None where no rounds can be decided, or shall be."""
        store = bootstrap.open_swarm_store(settings) if settings.swarm.enabled else None
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
            await self._use(reload.settings)
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
