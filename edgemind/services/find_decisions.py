"""Decisions of the whole fleet, from whichever controller is asked."""

import asyncio
from collections.abc import Mapping

from edgemind.domain.decision_ids import format_cursor, locate_decision
from edgemind.domain.fleet_status import DecisionPage
from edgemind.domain.worker_reports import DecisionSummary
from edgemind.ports.audit_journal import SiteAudit
from edgemind.ports.clock import Clock
from edgemind.ports.peers import DecisionCursor, Peers
from edgemind.ports.site_servers import GatewayAdmin
from edgemind.services.ask_sites import ask_others, silent
from edgemind.services.decision_log import DecisionLog, newest_first
from edgemind.services.neighbourhood import Neighbourhood
from edgemind.services.own_site import OwnSite


class DecisionFinder:
    """Reads the own log and the own workers, and asks other sites' controllers for theirs."""

    def __init__(
        self,
        own: OwnSite,
        neighbourhood: Neighbourhood,
        log: DecisionLog,
        admin: GatewayAdmin,
        peers: Peers,
        audit: SiteAudit,
        clock: Clock,
    ) -> None:
        self._own = own
        self._neighbourhood = neighbourhood
        self._log = log
        self._admin = admin
        self._peers = peers
        self._audit = audit
        self._clock = clock

    def own_page(self, limit: int, before: DecisionCursor | None) -> DecisionPage:
        """Newest first, of this site's gateways only."""
        return _page(self._log.page(limit, before), limit, [])

    async def fleet_page(self, limit: int, before: DecisionCursor | None) -> DecisionPage:
        """Newest first, of every site that answers; the names of those that do not."""
        answers = await ask_others(
            self._neighbourhood,
            self._clock.monotonic_s(),
            lambda site: self._peers.recent_decisions(site, limit, before),
        )
        found = [*self._log.page(limit, before)]
        for answer in answers.values():
            found.extend(answer or ())
        return _page(newest_first(found, limit, before), limit, silent(answers))

    async def explain_own(self, decision_id: str) -> Mapping[str, object] | None:
        """The explanation of a decision made at this site, or None: its worker's, or what the journal has kept of it.

        TemporaryError if its worker cannot be asked, and the journal does not have it.
        """
        place = locate_decision(decision_id)
        if place is None or place.site != self._neighbourhood.own.name:
            return None
        # The id tells the worker's number. With several gateways each has one of that number, and one of them decided.
        admins = self._own.admins_of(place.worker)
        asked = (self._admin.explain(place.worker, decision_id, admin) for admin in admins)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = [answer for answer in answers if answer is not None and not isinstance(answer, BaseException)]
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        if found:
            return found[0]
        kept = await asyncio.to_thread(self._audit.find_decision, decision_id)
        if failed and kept is None:
            raise failed[0]
        return None if kept is None else _kept_explanation(decision_id, place.site, kept)

    async def explain(self, decision_id: str) -> Mapping[str, object] | None:
        """The explanation of any decision of the fleet, or None if there is no such or it is no longer kept.

        Raises TemporaryError if the site that made it cannot be asked, PermanentError if it refuses to answer.
        """
        place = locate_decision(decision_id)
        if place is None or place.site == self._neighbourhood.own.name:
            return await self.explain_own(decision_id)
        if self._neighbourhood.fleet.site(place.site) is None:
            return None
        return await self._peers.explain(place.site, decision_id)


def _kept_explanation(decision_id: str, ingress: str, kept: Mapping[str, object]) -> Mapping[str, object]:
    """The explanation in the journal, or as much of it as was kept there, or is left."""
    personal = kept.get("personal")
    explanation = personal.get("explanation") if isinstance(personal, Mapping) else None
    if isinstance(explanation, Mapping):
        return {**explanation, "kept_in": "journal"}
    ran = kept.get("ran")
    return {
        "id": decision_id,
        "site": ingress,
        "chosen": next(reversed(ran), None) if isinstance(ran, dict) else None,
        **{name: kept.get(name) for name in ("at_ms", "model", "reason", "status", "residency")},
        "tenant": personal.get("tenant") if isinstance(personal, Mapping) else None,
        "predicted_ms": personal.get("predicted_ms") if isinstance(personal, Mapping) else None,
        "actual_ms": personal.get("actual_ms") if isinstance(personal, Mapping) else None,
        "kept_in": "journal",
        "erased": kept.get("erased", False),
    }


def _page(decisions: list[DecisionSummary], limit: int, unreachable: list[str]) -> DecisionPage:
    last = decisions[-1] if len(decisions) == limit else None
    return DecisionPage(decisions, format_cursor(last.at_ms, last.id) if last else None, unreachable)
