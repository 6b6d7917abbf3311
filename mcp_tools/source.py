"""What the tools ask of a fleet. A controller answers in its own process; people's clients ask the fleet API."""

from collections.abc import Mapping
from typing import Protocol

from edgemind.domain.agent_memory import MemoryKind, Recollection, Wanted
from edgemind.domain.fleet_status import DecisionPage, DrainStatus, FleetStatus, ModelList, SiteStatus
from edgemind.domain.swarm.summaries import RoundPage
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.round_shapes import AskedRound, RoundShape
from edgemind.services.take_notes import Logged, Remembered


class FleetSource(Protocol):
    """Live data only: nothing is kept between two calls. What is `local` asks no other site, as a voter needs it.

    Every method raises TemporaryError if the fleet cannot answer just now, and PermanentError if it refused, or if
    there is no such thing.
    """

    @property
    def thresholds(self) -> Thresholds | None:
        """Those in force; None where they are not known, since the fleet API does not tell them."""

    async def fleet(self, local: bool = False) -> FleetStatus:
        """Every site with what its own controller says; `local`: with what the asked one knows of it."""

    async def loads(self, model: str) -> Mapping[str, SiteLoad]:
        """As voters see them, by site that holds the model. No other site is asked, in the controller's process."""

    async def since_change_ms(self) -> float | None:
        """Since the asked site learned of the last decided change, by its own monotonic clock; None if it never did.

        Over HTTP it is worked out from that round's wall time, since the fleet API does not tell it.
        """

    async def site(self, name: str) -> SiteStatus: ...

    async def models(self) -> ModelList: ...

    async def decisions(self, limit: int, cursor: str | None) -> DecisionPage:
        """At most `limit`, newest first; `cursor` is the `next_cursor` of the page before."""

    async def decision(self, decision_id: str) -> Mapping[str, object]:
        """The explanation that its gateway worker keeps."""

    async def rounds(self, limit: int, cursor: str | None, local: bool = False) -> RoundPage:
        """At most `limit`, newest first, each as its coordinator tells it; `local`: as the asked site knows it."""

    async def round(self, fence: str) -> RoundShape:
        """What all sites that answer know of one round."""

    async def ask_swarm(self, model: str, replicas: int | None = None) -> AskedRound:
        """Let the swarm decide about a model of the asked controller's site, though nothing breaches; with `replicas`,
        only whether so many shall run there."""

    async def recall(self, wanted: Wanted) -> Recollection:
        """Of the asked controller's memory."""

    async def remember(self, text: str, kind: MemoryKind, fence: str | None) -> Remembered:
        """At the asked controller's site; `fence` is the round that it belongs to."""

    async def log_event(self, event: str, fence: str | None) -> Logged:
        """In the audit journal of the asked controller's site, with the caller's name."""

    async def drain(self, name: str, draining: bool) -> DrainStatus:
        """Take a site out of service, or back. A fleet over HTTP asks for the operator's token."""
