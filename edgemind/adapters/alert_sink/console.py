"""Alerts in the controller's log: a line for people, with its fields for whoever collects logs."""

import logging
from collections.abc import Mapping

from edgemind.adapters.alert_sink.documents import notice_document, notice_line
from edgemind.domain.alerts.engine import Change
from edgemind.domain.kpi import Level
from edgemind.ports.alert_sink import ToldNotice

_SEVERITY: Mapping[Level, int] = {
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.CRITICAL: logging.CRITICAL,
}

log = logging.getLogger("edgemind.alerts")


class ConsoleSink:
    """`AlertSink` that cannot fail. The record's `alert` is the document that other places are sent."""

    async def tell(self, told: ToldNotice) -> None:
        over = told.notice.change is Change.RESOLVED
        severity = logging.INFO if over else _SEVERITY[told.notice.alert.level]
        log.log(severity, "alert %s", notice_line(told), extra={"alert": notice_document(told)})

    async def close(self) -> None:
        """Nothing is open."""
