"""What a gateway worker gets back for its report: the table, the neighbours' load, and what its siblings are doing."""

from collections.abc import Mapping

from edgemind.domain.beacons import ModelLoad
from edgemind.domain.membership import SiteState
from edgemind.domain.site_documents import joined_document
from edgemind.domain.worker_reports import WorkerReport
from edgemind.errors import PermanentError
from edgemind.ports.clock import Clock
from edgemind.services.audit.keep_decisions import DecisionKeeper
from edgemind.services.compute_table import TableComputer
from edgemind.services.decision_log import DecisionLog
from edgemind.services.neighbourhood import Neighbourhood
from edgemind.services.own_site import OwnSite

SYNC_VERSION = 1


class GatewayAnswers:
    """The controller's side of the exchange with its gateway workers: ten reports a second from each."""

    def __init__(
        self,
        own: OwnSite,
        neighbourhood: Neighbourhood,
        tables: TableComputer,
        decisions: DecisionLog,
        keeper: DecisionKeeper,
        clock: Clock,
    ) -> None:
        self._own = own
        self._neighbourhood = neighbourhood
        self._tables = tables
        self._decisions = decisions
        self._clock = clock
        self._keeper = keeper

    def answer(self, report: WorkerReport) -> dict[str, object]:
        """Take a worker's report and answer with a JSON document. PermanentError if it belongs to another site."""
        own = self._own
        if report.site != own.site.name:
            raise PermanentError(
                f"this is the controller of {own.site.name}, not of {report.site}: check its `controller` address"
            )
        own.take(report)
        self._decisions.add(report.decisions)
        now_s = self._clock.monotonic_s()
        return {
            "v": SYNC_VERSION,
            "table": self._table(report.table_version),
            "beacons": self._neighbour_beacons(now_s) + self._declared_beacons(),
            "local": self._local(report),
            "workers": len(own.reports()),
            "drain": own.drain_requested,
            "joined": self._joined(report.joined_version),
            **({} if report.journal is None else {"journaled": self._keeper.take(report.journal)}),
        }

    def _table(self, known_version: int) -> dict[str, object] | None:
        """Null while there is none yet (the gateway goes on with its last one) or the worker has it already."""
        table = self._tables.latest
        if table is None or table.version == known_version:
            return None
        return {"version": table.version, "computed_at_ms": table.computed_at_ms, "weights": table.weights}

    def _joined(self, known_version: int) -> dict[str, object] | None:
        """Null while the roster is unknown (the gateway goes on with what it was told) or it has them already."""
        joined = self._neighbourhood.joined
        return None if joined is None or joined.version == known_version else joined_document(joined)

    def _neighbour_beacons(self, now_s: float) -> list[dict[str, object]]:
        answer: list[dict[str, object]] = []
        for name, neighbour in self._neighbourhood.neighbours.items():
            beacon = neighbour.beacon
            alive = neighbour.membership.state(now_s) is SiteState.ALIVE
            suspected = not alive or self._neighbourhood.failed_over_to(name, now_s) is not None
            if beacon is None and not suspected:
                continue
            # Never heard and suspected: there is no load to tell, and its age is the time we have been waiting.
            age_ms = (now_s - neighbour.beacon_s) * 1000.0 if beacon else neighbour.membership.age_ms(now_s)
            answer.append(
                {
                    "site": name,
                    "age_ms": round(age_ms, 1),
                    "rtt_ms": round(neighbour.round_trip.ms, 3),
                    "draining": beacon is not None and beacon.draining,
                    "suspected": suspected,
                    "models": _models(beacon.models) if beacon else {},
                }
            )
        return answer

    def _declared_beacons(self) -> list[dict[str, object]]:
        """Sites without a controller: as declared, with what active checks found. Their load nobody reports."""
        return [
            {
                "site": name,
                "age_ms": 0.0,
                "rtt_ms": round(declared.round_trip.ms, 3),
                "draining": False,
                "suspected": False,
                "declared": True,
                "models": _models(declared.loads()),
            }
            for name, declared in self._neighbourhood.declared.items()
        ]

    def _local(self, report: WorkerReport) -> dict[str, dict[str, object]]:
        others = self._own.others_in_flight(report)
        ready = self._own.ready_models
        return {
            model: {
                "in_flight": others.get(model, 0),
                "ready": ready.get(model, True),
                "replicas": self._own.ready_replicas(model),
            }
            for model in self._own.site.models()
        }


def _models(loads: Mapping[str, ModelLoad]) -> dict[str, dict[str, object]]:
    return {
        model: {"in_flight": load.in_flight, "slots": load.slots, "service_ms": load.service_ms, "ready": load.ready}
        for model, load in loads.items()
        if load.slots > 0
    }
