import asyncio
from dataclasses import replace

from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertPage, AlertState, AlertStatus
from edgemind.entrypoints.demo.alert_watch import AlertWatch

FIRING = AlertStatus(
    "site_report_age_ms.site-b.5", "site_report_age_ms", Level.CRITICAL, AlertState.FIRING, "site-b",
    "site-b has told nothing for 12.0 s.", "runbooks/site-report-age-ms.md", 5,
)  # fmt: skip


class Source:
    def __init__(self) -> None:
        self.page: AlertPage | None = None

    async def alerts(self) -> AlertPage | None:
        return self.page


def test_an_alert_is_said_when_it_fires_and_when_it_is_over() -> None:
    said: list[str] = []
    source = Source()
    watch = AlertWatch(source, said.append)
    resolved = replace(FIRING, state=AlertState.RESOLVED, ended_ms=9)
    for alert in (None, replace(FIRING, state=AlertState.PENDING), FIRING, FIRING, None, resolved, resolved, FIRING):
        source.page = AlertPage([alert]) if alert is not None else None
        asyncio.run(watch.read())
    assert said == [
        "alert: critical: site-b has told nothing for 12.0 s. (docs/runbooks/site-report-age-ms.md)",
        "alert: site_report_age_ms of site-b is over",
    ]
    (kept,) = watch.document()
    assert (kept["state"], kept["ended_ms"]) == ("resolved", 9)
