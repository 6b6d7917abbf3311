"""One gateway worker: its application, its two listeners, and the loops beside them, until it is told to stop."""

import asyncio
import contextlib
import functools
import gc
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

from edgemind import bootstrap
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.entrypoints.gateway.admin import AdminRoutes
from edgemind.entrypoints.gateway.admission import Admission
from edgemind.entrypoints.gateway.app import GatewayApp, Parts
from edgemind.entrypoints.gateway.controller_tls import controller_tls
from edgemind.entrypoints.gateway.forwarding import RequestHeads
from edgemind.entrypoints.gateway.heads import SeenHeads
from edgemind.entrypoints.gateway.keeping import decisions_to_keep
from edgemind.entrypoints.gateway.protocol import GatewayProtocol
from edgemind.entrypoints.gateway.relay import Relays
from edgemind.entrypoints.gateway.server import GatewayServer, admin_config, data_config
from edgemind.entrypoints.gateway.service import Draining, Service
from edgemind.entrypoints.gateway.tracing import open_tracing
from edgemind.errors import TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.inference import Upstream
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.recent_decisions import RecentDecisions
from edgemind.services.route_request import RequestRouter
from edgemind.services.sessions import Sessions
from edgemind.services.sync_gateway import GatewaySync, WorkerIdentity
from edgemind.services.watch_keys import KeyWatcher
from edgemind.settings import AuthMode, ConfigWatcher, Settings

SWEEP_S = 0.5
CONFIG_CHECK_S = 1.0
EXCHANGE_LIMIT_S = 2.0
"""A controller that hangs is out of reach: without its word, suspicions must end as they do when it is gone."""
HAND_OVER_LIMIT_S = 2.0
"""What a worker that stops still takes to hand over its decisions."""
SYNC_TROUBLES = (TemporaryError, TimeoutError, ValueError, LookupError, TypeError, AttributeError)
"""A controller that is away, or answers something else."""
GC_THRESHOLD = 50_000
"""Allocations between collections of the youngest generation: the hot path makes no cycles worth looking for."""

log = logging.getLogger("edgemind.gateway")


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What one worker is started with. `tls` is (certificate file, key file)."""

    config: Path
    identity: WorkerIdentity
    tls: tuple[Path, Path] | None = None


class Worker:
    """Built inside the event loop that runs it."""

    def __init__(self, plan: WorkerPlan, settings: Settings) -> None:
        self._plan = plan
        self._clock: Clock = bootstrap.system_clock()
        self._draining = Draining()
        self._seen = SeenHeads()
        self._keys_wanted = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._tls = controller_tls(settings, plan.identity.site)
        self._pools = bootstrap.upstream_pools(settings.limits, bootstrap.controller_contexts(settings, self._tls))
        self._watcher = ConfigWatcher(plan.config, settings, plan.identity.site)
        self._keys = KeyWatcher(bootstrap.open_state_store(settings), self._clock)
        self._site_workers = plan.identity.workers
        self.parts = self._build(settings)
        self._sync = self._controller_sync(settings)

    def _build(self, settings: Settings) -> Parts:
        identity, stats = self._plan.identity, GatewayStats()
        seed = Random(secrets.randbits(128))
        fleet = settings.fleet()
        router = RequestRouter(fleet, identity.site, settings.routing, self._clock, Random(seed.getrandbits(64)))
        tracing = open_tracing(settings, identity, self._clock, seed)
        heads = RequestHeads(identity.site, settings.access.site_tokens().current, own_spans=tracing.on)
        upstreams = cast("Callable[[str], Upstream]", self._pools)
        relays = Relays(router, upstreams, heads, stats, settings.limits, self._clock)
        return Parts(
            router=router,
            relays=relays,
            admission=self._admission(settings),
            limits=settings.limits,
            decisions=RecentDecisions(),
            sessions=Sessions(),
            stats=stats,
            clock=self._clock,
            rng=seed,
            id_prefix=f"dec-{identity.site}-{identity.worker}-",
            tracing=tracing,
            to_keep=decisions_to_keep(identity, settings, self._clock),
        )

    def _admission(self, settings: Settings) -> Admission:
        if settings.auth is AuthMode.KEYS:
            self._keys_wanted.set()
        admission = Admission(
            settings.fleet().tenants,
            settings.limits,
            auth=settings.auth is AuthMode.KEYS,
            site_tokens=settings.access.site_tokens(),
            workers=self._site_workers,
            monotonic_s=self._clock.monotonic_s,
        )
        admission.use_keys(self._keys.ring)
        return admission

    def _controller_sync(self, settings: Settings) -> GatewaySync | None:
        url = settings.site(self._plan.identity.site).controller_url
        if url is None:
            return None
        parts = self.parts
        upstream = cast(Upstream, self._pools(url))
        token = settings.access.site_tokens().current
        sync = GatewaySync(
            self._plan.identity, parts.router, parts.stats, parts.decisions, self._clock, url, upstream, token
        )
        sync.to_keep = parts.to_keep
        return sync

    # Running

    async def run(self, data: socket.socket, admin: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT, then drain. Raises what makes serving pointless (an unreadable store)."""
        if self._keys_wanted.is_set():
            self.parts.admission.use_keys(await asyncio.to_thread(self._keys.load))
        server = self._data_server()
        admin_server = self._admin_server()
        loops = [asyncio.create_task(loop()) for loop in self._loops(server)]
        admin_task = asyncio.create_task(admin_server.serve(sockets=[admin]))
        self._handle_signals(server)
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD, 20, 20)
        try:
            await server.serve(sockets=[data])
        finally:
            await self._hand_over_rest()
            admin_server.should_exit = True
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, admin_task, return_exceptions=True)
            await self._pools.close()
            self.parts.tracing.close()

    def _data_server(self) -> GatewayServer:
        app = GatewayApp(self.parts)
        config = data_config(self._plan.tls)
        service = Service(app.serve, app.preflight, lambda: self.parts.limits, self._draining, self._seen)
        protocol = functools.partial(GatewayProtocol, service=service)
        config.http_protocol_class = cast("type[asyncio.Protocol]", protocol)
        supervisor = os.getppid() if self._plan.identity.workers > 1 else None
        return GatewayServer(config, self._draining, lambda: self.parts.limits.drain_s, supervisor)

    def _admin_server(self) -> GatewayServer:
        routes = AdminRoutes(
            self.parts,
            self._sync,
            lambda: not self._draining.started,
            lambda: self._watcher.current.access.site_tokens(),  # noqa: PLW0108 (a reload replaces the settings)
        )
        return GatewayServer(admin_config(routes.app()), Draining(), lambda: 0.0)

    def _handle_signals(self, server: GatewayServer) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_now)

    def _reload_now(self) -> None:
        self._watcher.poke()
        self._hung_up.set()

    # The loops beside the listeners

    def _loops(self, server: GatewayServer) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        loops: list[Callable[[], Coroutine[Any, Any, None]]] = [self._tick, self._watch_config, self._pools.run]
        loops += [self._watch_keys, functools.partial(self._sweep, server)]
        if self._tls is not None:
            loops.append(functools.partial(self._tls.run, self._clock))
        if self._sync is not None:
            loops.append(functools.partial(self._exchange_with_controller, self._sync))
        return loops

    def _policy(self) -> RoutingPolicy:
        return self.parts.router.policy

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._policy().beacon_interval_ms / 1000.0)
            self.parts.router.tick()
            self.parts.stats.telemetry_dropped = self.parts.tracing.dropped

    async def _sweep(self, server: GatewayServer) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = asyncio.get_running_loop().time()
            for connection in list(cast("set[GatewayProtocol]", server.server_state.connections)):
                connection.check(now_s)

    async def _exchange_with_controller(self, sync: GatewaySync) -> None:
        while True:
            try:
                async with asyncio.timeout(EXCHANGE_LIMIT_S):
                    await sync.exchange(draining=self._draining.started)
                self._site_workers = sync.site_workers
                self.parts.admission.share_among(sync.site_workers)
            except SYNC_TROUBLES as exc:
                if sync.last_error is None:
                    log.warning("controller out of reach, serving on the last routing table: %s", exc)
                sync.failed(exc)
            await asyncio.sleep(self._policy().beacon_interval_ms / 1000.0)

    async def _hand_over_rest(self) -> None:
        to_keep = self.parts.to_keep
        to_keep.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HAND_OVER_LIMIT_S):
                while self._sync is not None and to_keep.left:
                    with contextlib.suppress(*SYNC_TROUBLES):
                        await self._sync.exchange(draining=True)
                        continue
                    await asyncio.sleep(self._policy().beacon_interval_ms / 1000.0)
        if to_keep.left:
            log.error("%d decisions could not be handed over to the controller; the journal lacks them", to_keep.left)

    async def _watch_keys(self) -> None:
        # A reload may switch keys on.
        await self._keys_wanted.wait()
        # Asked anew at each change: a reload replaces the admission.
        await self._keys.run(lambda ring: self.parts.admission.use_keys(ring))  # noqa: PLW0108

    async def _watch_config(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONFIG_CHECK_S):
                    await self._hung_up.wait()
            self._hung_up.clear()
            reload = await asyncio.to_thread(self._watcher.check)
            if reload is None:
                continue
            if reload.error is not None:
                self.parts.stats.reload_failures += 1
                log.error("the new configuration was refused, the old one stays in force: %s", reload.error)
            elif reload.changed:
                self._use(reload.settings)
                log.info("configuration reloaded: %s", ", ".join(reload.changed))
                for field in reload.restart_needed:
                    log.warning("%s changed: restart this gateway for it to take effect", field)

    def _use(self, settings: Settings) -> None:
        """Swap everything at once, between two requests; requests under way keep what they began with."""
        if settings.fleet().site(self._plan.identity.site) is None:
            log.error("the new configuration no longer has site %s: stop this gateway", self._plan.identity.site)
            return
        self.parts.router.replace_fleet(settings.fleet(), settings.routing)
        admission = self._admission(settings)
        admission.inherit(self.parts.admission)
        self.parts.admission = admission
        self.parts.limits = settings.limits
        token = settings.access.site_tokens().current
        self.parts.relays.heads.renew(token)
        if self._sync is not None:
            self._sync.renew(token)
        self._seen.forget()
        self.parts.relays.limits = settings.limits
        self._pools.use_limits(bootstrap.client_limits(settings.limits))


def run_worker(plan: WorkerPlan, settings: Settings, data: socket.socket, admin: socket.socket) -> None:
    """Run one worker in this process until it is told to stop."""

    async def main() -> None:
        await Worker(plan, settings).run(data, admin)

    with asyncio.Runner(loop_factory=bootstrap.new_event_loop) as runner:
        runner.run(main())
