"""What a controller knows of its own site: its gateway workers' reports, its servers' checks, its drain switch."""

from collections.abc import Mapping
from types import MappingProxyType

from edgemind.domain.arrivals import DecayedArrivals
from edgemind.domain.beacons import Beacon, ModelLoad
from edgemind.domain.fleet import Site
from edgemind.domain.routing.overlay import Shift
from edgemind.domain.suspicion import Rumours
from edgemind.domain.swarm.messages import Announce
from edgemind.domain.worker_reports import WorkerReport, merge_loads
from edgemind.ports.clock import Clock
from edgemind.ports.scaler import Replicas
from edgemind.services.neighbourhood import SiteLoad, declared_loads

REPORT_STALE_S = 1.0
"""A worker reports ten times a second; one that has been silent for this long is not counted."""
WORKERS_LIMIT = 256


class OwnSite:
    """The site this controller belongs to. `incarnation` grows with every start of the controller."""

    def __init__(self, site: Site, incarnation: int, clock: Clock) -> None:
        self.site = site
        self.incarnation = incarnation
        self.drain_requested = False
        self.ready_models: dict[str, bool] = {}
        self.replicas: Mapping[str, Replicas] = MappingProxyType({})
        """Of the models that can be scaled here, as their scaler last told; every other model has one."""
        self.shifts: tuple[Shift, ...] = ()
        """Who takes what this site has too much of, as rounds decided."""
        self._clock = clock
        self._seq = 0
        self._reports: dict[tuple[str | None, int], tuple[float, WorkerReport]] = {}
        self._arrivals = DecayedArrivals(clock.monotonic_s())

    def inherit(self, before: "OwnSite") -> None:
        """Go on with what another instance knows of the same site: its configuration changed, its processes did not."""
        self.incarnation = before.incarnation
        self.drain_requested = before.drain_requested
        self.ready_models = before.ready_models
        self.replicas = before.replicas
        self.shifts = before.shifts
        self._seq = before._seq
        self._reports = before._reports
        self._arrivals = before._arrivals

    def take(self, report: WorkerReport) -> None:
        """A worker's report replaces its last one."""
        sender = (report.admin, report.worker)
        if sender in self._reports or len(self._reports) < WORKERS_LIMIT:
            self._reports[sender] = (self._clock.monotonic_s(), report)

    def reports(self) -> list[WorkerReport]:
        """Of the workers that reported within the last second."""
        oldest_s = self._clock.monotonic_s() - REPORT_STALE_S
        return [report for at_s, report in self._reports.values() if at_s >= oldest_s]

    @property
    def draining(self) -> bool:
        """An operator drains the site, or every gateway worker is on its way out."""
        reports = self.reports()
        return self.drain_requested or (bool(reports) and all(report.draining for report in reports))

    def observe_arrivals(self) -> None:
        """Smooth the demand that the workers report now; called every tick. Silent workers are forgotten here too."""
        now_s = self._clock.monotonic_s()
        self._reports = {
            sender: (at_s, report) for sender, (at_s, report) in self._reports.items() if at_s >= now_s - REPORT_STALE_S
        }
        loads = merge_loads(self.reports())
        self._arrivals.observe(now_s, {model: load.arrivals_per_s for model, load in loads.items()})

    def loads(self) -> dict[str, ModelLoad]:
        """Every model held here or asked for here, with smoothed arrivals.

        A model is ready if a worker says so and its server answers its checks. Without a live gateway none is: whatever
        the servers could do, a neighbour's requests would not reach them. Slots are those of one replica, as declared,
        times the replicas that are ready: workers report what they last heard of them, which may be old.
        """
        reports = self.reports()
        reported = merge_loads(reports)
        declared = declared_loads(self.site)
        reachable = bool(reports) or self.site.gateway_url is None
        loads: dict[str, ModelLoad] = {}
        for model in {**declared, **reported}:
            load = reported.get(model) or declared[model]
            held = model in declared
            replicas = self.ready_replicas(model)
            loads[model] = ModelLoad(
                in_flight=load.in_flight,
                slots=declared[model].slots * replicas if held else 0,
                service_ms=round(load.service_ms, 3),
                ready=held and load.ready and reachable and replicas > 0 and self.ready_models.get(model, True),
                arrivals_per_s=round(self._arrivals.per_s(model), 3),
                replicas=replicas,
                max_replicas=declared[model].max_replicas if held and model in self.replicas else 1,
            )
        return loads

    def ready_replicas(self, model: str) -> int:
        scaled = self.replicas.get(model)
        return 1 if scaled is None else scaled.ready

    def site_load(self) -> SiteLoad:
        return SiteLoad(self.site.name, self.loads(), self.draining, self.shifts)

    def beacon(self, rtt_ms: Mapping[str, float], rumours: Rumours, newest: Announce | None = None) -> Beacon:
        """My load now, numbered after the last one."""
        self._seq += 1
        name, loads = self.site.name, self.loads()
        known = rtt_ms, rumours, newest, self.shifts
        return Beacon(name, self.incarnation, self._seq, self.draining, loads, *known)

    def others_in_flight(self, sender: WorkerReport) -> dict[str, int]:
        """Requests that the site's other workers have under way, by model: what the sender cannot see by itself."""
        others = merge_loads(
            report for report in self.reports() if (report.admin, report.worker) != (sender.admin, sender.worker)
        )
        return {model: load.in_flight for model, load in others.items()}

    def admins_of(self, worker: int) -> list[str | None]:
        """Where the workers of this number are asked; None, as the configuration says. Each gateway has one."""
        found = [report.admin for report in self.reports() if report.worker == worker]
        return found or [None]
