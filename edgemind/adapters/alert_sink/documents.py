"""A notice as it is sent: one JSON document, the same for every receiver."""

from dataclasses import asdict
from typing import Any

from edgemind.ports.alert_sink import ToldNotice

NOTICE_VERSION = 1


def notice_document(told: ToldNotice) -> dict[str, Any]:
    """`key` stays the same when it is sent again."""
    return {
        "v": NOTICE_VERSION,
        "key": told.key,
        "change": told.notice.change.value,
        "metro": told.metro,
        "told_by": told.by,
        "at_ms": told.at_ms,
        "alert": asdict(told.notice.alert),
    }


def notice_line(told: ToldNotice) -> str:
    """`fired critical site_report_age_ms of site-b: site-b has told nothing for 7.2 s. Runbook: runbooks/...`"""
    alert = told.notice.alert
    of = f" of {alert.site}" if alert.site is not None else ""
    text = " ".join(alert.text.split())
    return f"{told.notice.change.value} {alert.level.value} {alert.name}{of}: {text} Runbook: docs/{alert.runbook}"
