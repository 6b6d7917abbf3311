"""A gateway's certificate for its controller."""

import logging
from typing import TYPE_CHECKING

from edgemind import bootstrap
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings

if TYPE_CHECKING:
    from edgemind.adapters.fleet_tls import FleetTls

log = logging.getLogger("edgemind.gateway")


def controller_tls(settings: Settings, site: str) -> "FleetTls | None":
    """A gateway serves without its controller: a wrong certificate is told, and devices need not hear of it."""
    try:
        return bootstrap.fleet_tls(settings, site)
    except ConfigurationError as exc:
        log.error("the controller cannot be asked until this gateway starts again: %s", exc)
        return None
