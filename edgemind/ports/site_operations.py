"""What a controller asks another one to show operators the whole metro."""

from enum import StrEnum
from typing import Protocol

from edgemind.domain.operations.counts import SiteMeasures
from edgemind.domain.operations_status import AlertPage, SeriesPage


class AlertScope(StrEnum):
    """Whose alerts: everybody's, those that the asked site tells, or the metro's as the asked site knows them."""

    FLEET = "fleet"
    SITE = "site"
    METRO = "metro"


class SiteOperations(Protocol):
    """Raises like `Peers`: UpstreamUnreachable, UpstreamFailed, and PermanentError where the site knows no such thing.

    A site of a version before this one is of the last kind.
    """

    async def measures(self, site: str) -> SiteMeasures:
        """What its own gateways did lately."""

    async def series(self, site: str, since_ms: int, step_ms: int) -> SeriesPage:
        """Its own series, of steps that end after `since_ms`."""

    async def alerts(self, site: str, scope: AlertScope) -> AlertPage: ...
