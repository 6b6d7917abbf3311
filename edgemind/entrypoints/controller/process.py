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
from starlette.applications import Starlette

import edgemind
from edgemind import bootstrap
from edgemind.bootstrap.audit import open_audit_journal
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.site_documents import JoinedSites
from edgemind.domain.swarm.envelopes import MessageNumbers
from edgemind.domain.swarm.roster import RosterMember
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.agents_part import AgentsPart
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.loops import controller_loops, stop_loops, supervise
from edgemind.entrypoints.controller.member_routes import MetroDoor
from edgemind.entrypoints.controller.parts import ControllerParts, Surroundings
from edgemind.entrypoints.controller.tls_identity import listen_with
from edgemind.ports.voter import Voter
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.metro_members import MetroMembers
from edgemind.services.register_site import RegisterSite, SiteAddress
from edgemind.services.remember_drain import DrainMemory
from edgemind.services.rounds.membership import READ_INTERVAL_S, SwarmMembership
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.rounds.site_rounds import SiteRounds
from edgemind.services.site_controller import SiteController
from edgemind.settings import ConfigWatcher, Settings, Store, with_joined_sites

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
    """Built inside the event loop that runs it. Without a `voter` of its own the site votes as the library does."""

    def __init__(self, config: Path, settings: Settings, site: str, voter: Voter | None = None) -> None:
        self._site = site
        self._watcher = ConfigWatcher(config, settings, site)
        self._clock = bootstrap.system_clock()
        started_ms = self._clock.wall_ms()
        self._numbers = MessageNumbers(started_ms)
        self._joined: tuple[str, ...] = ()
        """Declarations of the roster that are part of the fleet now."""
        own = settings.site(site)
        self._tls = bootstrap.fleet_tls(settings, site)
        self._pools = bootstrap.upstream_pools(settings.limits, bootstrap.controller_contexts(settings, self._tls))
        self._loops: list[asyncio.Task[None]] = []
        address = SiteAddress(site, own.controller_url or "", own.gateway_url, edgemind.__version__)
        store = bootstrap.open_state_store(settings)
        self._heartbeat = Heartbeat(RegisterSite(store, self._clock, address), self._clock)
        self._drains = DrainMemory(store, site, self._clock)
        swarm = bootstrap.open_swarm_store(settings)
        self.membership = SwarmMembership(site, swarm, self._declared, self._suspected)
        journal = bootstrap.open_round_journal(settings, site)
        self.audit = open_audit_journal(settings, site, store)
        self._history = RoundHistory(site, settings.metro, journal, self._clock, self.audit)
        self.access = access_rules(settings)
        self.controller = self._controller(settings)
        members = MetroMembers(
            (store, swarm), self._declared, self._clock, secrets.token_bytes, self.membership.changed
        )
        self._settings = settings
        shared = settings.state.store is not Store.MEMORY
        self._door = MetroDoor(members, lambda: self._settings) if shared else None
        self._using = asyncio.Lock()
        """Reload, roster and advice each bring new settings: one successor is put together at a time."""
        self.parts = ControllerParts(settings, self._surroundings())
        self.parts.rounds.decide(settings, self.membership, (started_ms, swarm), voter)

    @property
    def rounds(self) -> SiteRounds | None:
        """None where this site takes part in no rounds."""
        return self.parts.rounds.rounds

    @property
    def agents(self) -> AgentsPart:
        return self.parts.agents

    async def run(self, listener: socket.socket) -> None:
        """Serve on a bound socket until SIGTERM or SIGINT."""
        config = uvicorn.Config(
            self._app(),
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
            asyncio.create_task(supervise("the roster", lambda: READ_INTERVAL_S, self._follow_roster)),
            asyncio.create_task(self._pools.run()),
        ]
        if self._tls is not None:
            beside.append(asyncio.create_task(self._tls.run(self._clock)))
        self._loops = controller_loops(self.controller, self._clock)
        beside += self.parts.start(self._use_present)
        try:
            await server.serve(sockets=[listener])
        finally:
            await stop_loops([*self._loops, *beside])
            await self.parts.close()
            await asyncio.to_thread(self._heartbeat.withdraw)
            await self._pools.close()
            await asyncio.to_thread(self.audit.close)
        log.info("controller of %s stopped", self._site)

    def _controller(self, settings: Settings) -> SiteController:
        own = settings.site(self._site)
        links = bootstrap.site_links(settings, own, self._pools, self._numbers, (self._history.journal, self.audit))
        return SiteController(
            settings.fleet(), own, settings.routing, links, self._heartbeat, self._drains, self._clock
        )

    def _app(self) -> Starlette:
        parts = self.parts
        return controller_app(
            lambda: self.controller, lambda: self.access, self._door, parts.route_sets(), parts.bare_routes()
        )

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self._site,
            lambda: self.controller,
            lambda: self.access,
            self._watcher,
            self._history,
            self.audit,
            self._pools,
            self._clock,
        )

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
            await self._use_present()
            body = {"action": "configuration reloaded", "changed": reload.changed}
            self.audit.record(AuditEntry(EntryKind.POLICY_CHANGE, self._clock.wall_ms(), self._site, body))
            log.info("configuration reloaded: %s", ", ".join(reload.changed))
            for field in reload.restart_needed:
                log.warning("%s changed: restart this controller for it to take effect", field)

    # Who belongs to the metro

    def _declared(self) -> list[RosterMember]:
        sites = self._watcher.current.sites
        return [RosterMember(site.name, site.controller) for site in sites if site.controller is not None]

    def _suspected(self) -> frozenset[str]:
        return self.controller.neighbourhood.suspected(self._clock.monotonic_s())

    def _joined_declarations(self) -> tuple[str, ...]:
        return tuple(one.declaration for one in self.membership.roster.members if one.declaration is not None)

    async def _follow_roster(self) -> None:
        """Sites that joined belong to the fleet like declared ones, until they are removed."""
        if not await asyncio.to_thread(self.membership.refresh):
            return
        roster = self.membership.roster
        if self._joined != self._joined_declarations():
            self._joined = self._joined_declarations()
            await self._use_present()
            log.info("roster version %d: %s", roster.version, ", ".join(roster.sites))
        around = self.controller.neighbourhood
        around.know_members(roster.sites)
        here = {site.name for site in self._watcher.current.sites}
        joined = tuple(site for site in around.fleet.sites if site.name not in here)
        around.joined = JoinedSites(roster.version, joined)

    def _with_joined(self, settings: Settings) -> Settings:
        merged, refused = with_joined_sites(settings, self._joined)
        for why in refused:
            log.error("a site that joined does not fit this edgemind.yaml, and is left out here: %s", why)
        return merged

    async def _use_present(self) -> None:
        """Go on with the file, the sites that joined, and the advice in force, as they are now."""
        async with self._using:
            await self._use(self.parts.advice.over(self._with_joined(self._watcher.current)))

    async def _use(self, settings: Settings) -> None:
        """A new controller over the new configuration goes on where the old one stopped; no request is cut."""
        self._pools.use_tls(bootstrap.controller_contexts(settings, self._tls))
        successor = self._controller(settings)
        await stop_loops(self._loops)
        successor.succeed(self.controller)
        self.access = access_rules(settings)
        self._settings = settings
        self.controller = successor
        await self.parts.use(settings)
        self._loops = controller_loops(successor, self._clock)


def serves_tls(settings: Settings, site: str) -> bool:
    """Whether this process speaks TLS itself, and nothing in front of it."""
    return settings.access.tls is not None and (settings.site(site).controller_url or "").startswith("https:")


def access_rules(settings: Settings) -> AccessRules:
    tokens = settings.access.tokens
    by_role = {role: getattr(tokens, role.name.lower()) for role in Role}
    site = settings.access.site_tokens()
    return AccessRules({role: token.reveal() for role, token in by_role.items() if token}, site.current, site.previous)


def run_controller(config: Path, settings: Settings, site: str, listener: socket.socket) -> None:
    """Run the controller in this process until it is told to stop."""

    async def main() -> None:
        await ControllerProcess(config, settings, site).run(listener)

    with asyncio.Runner(loop_factory=bootstrap.new_event_loop) as runner:
        runner.run(main())
