"""The controllers of the other sites, by site name."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edgemind.domain.agent_calls import AgentCall
from edgemind.domain.beacons import Beacon
from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundSummary
from edgemind.domain.worker_reports import DecisionSummary

DecisionCursor = tuple[int, str]
"""(at_ms, id) of the last decision already seen: the next page holds what lies before it, newest first."""

CallCursor = tuple[int, str]
"""The same of agents' tool calls."""


class Peers(Protocol):
    """What one controller asks of another.

    Every method raises UpstreamUnreachable if nobody listens there, UpstreamFailed for any other missing answer, and
    PermanentError if the peer understood and refused (wrong site token, a document it cannot read).
    """

    async def exchange(self, site: str, beacon: Beacon) -> Beacon:
        """Send my beacon; the answer is the peer's."""

    async def site_status(self, site: str) -> SiteStatus:
        """The peer's own view of its own site."""

    async def recent_decisions(self, site: str, limit: int, before: DecisionCursor | None) -> Sequence[DecisionSummary]:
        """At most `limit` decisions of the peer's own gateways, newest first."""

    async def explain(self, site: str, decision_id: str) -> Mapping[str, object] | None:
        """The full explanation of a decision made there, or None if it is no longer kept."""

    async def recent_rounds(self, site: str, limit: int, before: Fence | None) -> Sequence[RoundSummary]:
        """At most `limit` rounds as the peer saw them, newest first, strictly before a fence."""

    async def round(self, site: str, fence: Fence) -> RoundRecord | None:
        """The peer's own record of a round, or None if it has none."""

    async def agent_calls(
        self, site: str, limit: int, before: CallCursor | None, fence: str | None
    ) -> Sequence[AgentCall]:
        """At most `limit` tool calls of the peer's agents, newest first; of one round, if a fence is given."""

    async def drain(self, site: str, draining: bool) -> None:
        """Ask the peer to take its own site out of (`draining`) or back into service."""

    async def tell(self, site: str, message: Message) -> None:
        """Hand a message over, once and within 200 ms; nobody answers it. A round only loses speed by a lost one."""

    async def keep_open(self, site: str) -> None:
        """Have a way to a site open, so that a message need not wait for it: for sites that get no beacons."""

    async def close(self) -> None:
        """Close what is kept open to peers."""


class PeerSite(Protocol):
    """The answering side: what a controller does when a peer asks. The fleet API and in-process peers call the same."""

    def receive_beacon(self, beacon: Beacon) -> Beacon:
        """Take a neighbour's beacon and answer with mine; PermanentError if that site is not in my configuration."""

    def own_status(self) -> SiteStatus: ...

    def own_decisions(self, limit: int, before: DecisionCursor | None) -> Sequence[DecisionSummary]: ...

    async def explain_own(self, decision_id: str) -> Mapping[str, object] | None: ...

    def own_rounds(self, limit: int, before: Fence | None) -> Sequence[RoundSummary]: ...

    def own_round(self, fence: Fence) -> RoundRecord | None: ...

    def own_agent_calls(self, limit: int, before: CallCursor | None, fence: str | None) -> Sequence[AgentCall]: ...

    def drain_own(self, draining: bool) -> None: ...

    def receive_message(self, message: Message) -> None:
        """Take a message of a round. Returns at once: whatever follows from it happens later."""
