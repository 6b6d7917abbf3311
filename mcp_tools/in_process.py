"""A controller as the tools ask it in its own process, without HTTP; and the servers that its site's agents call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from mcp.server.mcpserver import MCPServer

from edgemind import bootstrap
from edgemind.domain.agent_memory import MemoryKind, Recollection, Wanted
from edgemind.domain.decision_ids import parse_cursor
from edgemind.domain.fleet_status import DecisionPage, DrainStatus, FleetStatus, ModelList, SiteStatus
from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.summaries import RoundPage
from edgemind.domain.swarm.vote_documents import fence_from_text
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.domain.wire import DocumentInvalid
from edgemind.entrypoints.controller.access import Role
from edgemind.entrypoints.controller.process import ControllerProcess
from edgemind.entrypoints.controller.round_shapes import AskedRound, RoundShape
from edgemind.errors import PermanentError
from edgemind.ports.clock import Clock
from edgemind.services.keep_memories import MemoryKeeper
from edgemind.services.rounds.loads import KnownLoads
from edgemind.services.site_controller import SiteController
from edgemind.services.take_notes import Logged, NoteTaker, Remembered
from mcp_tools.calls import Session, one_caller
from mcp_tools.catalogue import SERVERS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OwnRounds:
    """Of the site's part in rounds: `since_change_ms`, None if it never learned of a change."""

    thresholds: Thresholds
    since_change_ms: float | None = None


class FleetInProcess:
    """`FleetSource` of one site. What it is given is asked for at each call: a reload may have replaced it.

    `notes`: the site's memory, and who takes notes for it and for the audit journal; None where there is none.
    """

    def __init__(
        self,
        controller: Callable[[], SiteController],
        rounds: Callable[[], OwnRounds],
        clock: Clock,
        notes: tuple[MemoryKeeper, NoteTaker] | None = None,
    ) -> None:
        self._notes = notes
        self._controller = controller
        self._rounds = rounds
        self._clock = clock

    @property
    def thresholds(self) -> Thresholds | None:
        return self._rounds().thresholds

    async def fleet(self, local: bool = False) -> FleetStatus:
        view = self._controller().view
        return view.known_fleet() if local else await view.fleet()

    async def site(self, name: str) -> SiteStatus:
        status = await self._controller().view.site(name)
        if status is None:
            raise self._no_such_site(name)
        return status

    async def loads(self, model: str) -> Mapping[str, SiteLoad]:
        controller = self._controller()
        return KnownLoads(controller.own, controller.neighbourhood, VotingPolicy(), self._clock).of(model)

    async def since_change_ms(self) -> float | None:
        return self._rounds().since_change_ms

    async def models(self) -> ModelList:
        return self._controller().view.models()

    async def decisions(self, limit: int, cursor: str | None) -> DecisionPage:
        before = _parsed(parse_cursor, cursor) if cursor else None
        return await self._controller().decisions.fleet_page(limit, before)

    async def decision(self, decision_id: str) -> Mapping[str, object]:
        explanation = await self._controller().decisions.explain(decision_id)
        if explanation is None:
            raise PermanentError(f"no decision {decision_id!r} is kept: a gateway worker keeps its last few thousand")
        return explanation

    async def rounds(self, limit: int, cursor: str | None, local: bool = False) -> RoundPage:
        before = _parsed(fence_from_text, cursor) if cursor else None
        finder = self._controller().rounds
        return finder.own_page(limit, before) if local else await finder.fleet_page(limit, before)

    async def round(self, fence: str) -> RoundShape:
        record, unreachable = await self._controller().rounds.round(_parsed(fence_from_text, fence))
        if record is None:
            silent = f"; {', '.join(unreachable)} could not be asked" if unreachable else ""
            raise PermanentError(f"no round {fence} is kept: each controller keeps its newest ones only{silent}")
        return RoundShape.model_validate({**record_document(record), "unreachable": unreachable})

    async def ask_swarm(self, model: str, replicas: int | None = None) -> AskedRound:
        controller = self._controller()
        if replicas is None:
            controller.on_asked(model)
        else:
            controller.on_replicas_asked(model, replicas)
        return AskedRound(site=controller.own.site.name, model=model)

    async def drain(self, name: str, draining: bool) -> DrainStatus:
        controller = self._controller()
        site = controller.neighbourhood.fleet.site(name)
        if site is None:
            raise self._no_such_site(name)
        if name == controller.own.site.name:
            controller.drain_own(draining)
        elif site.controller_url is None:
            raise PermanentError(f"{name} has no controller, so nobody there can drain it")
        else:
            await controller.links.peers.drain(name, draining)
        return DrainStatus(name, draining)

    async def recall(self, wanted: Wanted) -> Recollection:
        keeper, _ = self._kept()
        return await keeper.recall(wanted)

    async def remember(self, text: str, kind: MemoryKind, fence: str | None) -> Remembered:
        _, notes = self._kept()
        return notes.remember(text, kind, fence, self._caller())

    async def log_event(self, event: str, fence: str | None) -> Logged:
        _, notes = self._kept()
        return notes.log(event, fence, self._caller())

    def _kept(self) -> tuple[MemoryKeeper, NoteTaker]:
        if self._notes is None:
            raise PermanentError("this controller keeps no memory")
        return self._notes

    def _caller(self) -> str:
        return f"an agent of {self._controller().own.site.name}"

    def _no_such_site(self, name: str) -> PermanentError:
        names = ", ".join(site.name for site in self._controller().neighbourhood.fleet.sites[:20])
        return PermanentError(f"no site is called {name!r}; there are: {names}")


def site_servers(process: ControllerProcess) -> Mapping[str, Callable[[], MCPServer[Any]]]:
    """What makes each server, by name. A site may do what an operator may; its agents' roles say what each may call."""
    part = process.agents
    fleet = FleetInProcess(
        lambda: process.controller,
        partial(_own_rounds, process),
        bootstrap.system_clock(),
        (part.memories, part.notes),
    )
    sessions = one_caller(Session(Role.OPERATOR, fleet))
    return {name: partial(spec.build, sessions) for name, spec in SERVERS.items()}


def _own_rounds(process: ControllerProcess) -> OwnRounds:
    rounds = process.rounds
    if rounds is None:
        return OwnRounds(Thresholds())
    return OwnRounds(rounds.rules.thresholds, rounds.driver.since_change_ms())


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except DocumentInvalid as exc:
        raise PermanentError(str(exc)) from exc
