"""Controllers in one process that ask one another directly: tests and the simulator, no sockets."""

from collections.abc import Mapping, Sequence

from edgemind.domain.agent_calls import AgentCall
from edgemind.domain.beacons import Beacon
from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundSummary
from edgemind.domain.worker_reports import DecisionSummary
from edgemind.errors import UpstreamUnreachable
from edgemind.ports.peers import CallCursor, DecisionCursor, PeerSite


class InProcessPeers:
    """`Peers` over a mapping of site name to its answering side. A site that is not in it is one that is down."""

    def __init__(self, sites: Mapping[str, PeerSite]) -> None:
        self._sites = sites

    async def exchange(self, site: str, beacon: Beacon) -> Beacon:
        return self._peer(site).receive_beacon(beacon)

    async def site_status(self, site: str) -> SiteStatus:
        return self._peer(site).own_status()

    async def recent_decisions(self, site: str, limit: int, before: DecisionCursor | None) -> Sequence[DecisionSummary]:
        return self._peer(site).own_decisions(limit, before)

    async def explain(self, site: str, decision_id: str) -> Mapping[str, object] | None:
        return await self._peer(site).explain_own(decision_id)

    async def recent_rounds(self, site: str, limit: int, before: Fence | None) -> Sequence[RoundSummary]:
        return self._peer(site).own_rounds(limit, before)

    async def round(self, site: str, fence: Fence) -> RoundRecord | None:
        return self._peer(site).own_round(fence)

    async def agent_calls(
        self, site: str, limit: int, before: CallCursor | None, fence: str | None
    ) -> Sequence[AgentCall]:
        return self._peer(site).own_agent_calls(limit, before, fence)

    async def drain(self, site: str, draining: bool) -> None:
        self._peer(site).drain_own(draining)

    async def tell(self, site: str, message: Message) -> None:
        self._peer(site).receive_message(message)

    async def keep_open(self, site: str) -> None:
        self._peer(site)

    async def close(self) -> None:
        """Nothing is open."""

    def _peer(self, site: str) -> PeerSite:
        if site not in self._sites:
            raise UpstreamUnreachable(f"no controller of {site} is running")
        return self._sites[site]
