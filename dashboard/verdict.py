"""How the fleet is, in one sentence: the worst of what sites, alerts and KPIs say, the most pressing first. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dashboard.wording import listed, measured
from edgemind.domain.fleet_status import FleetStatus
from edgemind.domain.kpi import Level
from edgemind.domain.membership import SiteState
from edgemind.domain.operations_status import AlertPage, AlertState, AlertStatus, KpiList, KpiStatus

URGENCY: dict[Level, int] = {Level.CRITICAL: 3, Level.WARNING: 2, Level.INFO: 1, Level.OK: 0, Level.UNKNOWN: 0}
FINDINGS_SHOWN = 4
SILENT = frozenset({SiteState.SUSPECTED, SiteState.GONE})


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`headline` is the worst that is known, `more` what else is wrong, the worst first."""

    level: Level
    headline: str
    more: tuple[str, ...] = ()


def verdict(fleet: FleetStatus, alerts: AlertPage | None, kpis: KpiList | None, unread: Sequence[str] = ()) -> Verdict:
    """None: not offered by this fleet, or never read. `unread` cannot be read just now: what is given of it is old."""
    seen = _known(fleet, alerts, kpis)
    if not unread:
        return seen
    unknown = f"Just now nobody can read {listed(unread)}"
    match seen.level:
        case Level.CRITICAL | Level.WARNING:
            return replace(seen, more=(*seen.more, unknown))
        case Level.OK:
            return Verdict(Level.UNKNOWN, unknown, (seen.headline,))
    return Verdict(Level.UNKNOWN, unknown, (seen.headline, *seen.more))


def _known(fleet: FleetStatus, alerts: AlertPage | None, kpis: KpiList | None) -> Verdict:
    findings = [*_sites(fleet, alerts), *_alerts(fleet, alerts, kpis)]
    findings.sort(key=lambda one: -URGENCY[one.level])
    if not findings:
        return Verdict(Level.OK, _all_well(fleet), tuple(_unmeasured(kpis)))
    hidden = len(findings) - FINDINGS_SHOWN
    more = [one.text for one in findings[1:FINDINGS_SHOWN]] + ([f"and {hidden} more"] if hidden > 0 else [])
    return Verdict(findings[0].level, findings[0].text, tuple(more))


def firing(alerts: AlertPage | None, *levels: Level) -> list[AlertStatus]:
    if alerts is None:
        return []
    return [one for one in alerts.alerts if one.state is AlertState.FIRING and (not levels or one.level in levels)]


def _sites(fleet: FleetStatus, alerts: AlertPage | None) -> Iterator[Finding]:
    silent = [site.name for site in fleet.sites if site.state in SILENT]
    draining = [site.name for site in fleet.sites if site.state is SiteState.DRAINING]
    if silent:
        # It comes first of all that is as bad: much of the rest follows from it.
        alarmed = any(alert.site in silent for alert in firing(alerts, Level.CRITICAL))
        level = Level.CRITICAL if alarmed or 2 * len(silent) >= len(fleet.sites) else Level.WARNING
        verb = "does" if len(silent) == 1 else "do"
        yield Finding(level, f"{len(silent)} of {len(fleet.sites)} sites {verb} not answer: {listed(silent)}")
    if draining:
        yield Finding(Level.INFO, f"Drained, takes no new requests: {listed(draining)}")


def _alerts(fleet: FleetStatus, alerts: AlertPage | None, kpis: KpiList | None) -> Iterator[Finding]:
    known = firing(alerts, Level.CRITICAL, Level.WARNING)
    silent = {site.name for site in fleet.sites if site.state in SILENT}
    for alert in known:
        if alert.site in silent:
            # It is told to be silent already: what else is wrong there follows from it.
            continue
        where = f"{alert.site}: " if alert.site and alert.site not in alert.text else ""
        yield Finding(alert.level, f"{where}{alert.text}".rstrip("."))
    told = {alert.kpi or alert.name for alert in known}
    for kpi in kpis.kpis if kpis else ():
        # An alert waits until a value stays bad; until then, the value alone says so.
        if kpi.level in {Level.CRITICAL, Level.WARNING} and kpi.name not in told:
            yield Finding(kpi.level, _missed(kpi))


def _missed(kpi: KpiStatus) -> str:
    below = kpi.good == "below"
    value = kpi.value or 0.0
    met = value <= kpi.target if below else value >= kpi.target
    how = "close to" if met else "beyond" if below else "short of"
    target = f"{'under' if below else 'over'} {measured(kpi.target, kpi.unit)}"
    return f"{kpi.title} is {measured(kpi.value, kpi.unit)}, {how} its target ({target})"


def _all_well(fleet: FleetStatus) -> str:
    sites = len(fleet.sites)
    return "The one site is in service" if sites == 1 else f"All {sites} sites are in service"


def _unmeasured(kpis: KpiList | None) -> Sequence[str]:
    if kpis is None:
        return ()
    known = [kpi for kpi in kpis.kpis if kpi.value is not None]
    if not known:
        return ("No KPI is measured yet",)
    whole = len(known) == len(kpis.kpis)
    return (
        "every KPI is on target" if whole else f"{len(known)} of {len(kpis.kpis)} KPIs are measured, all on target",
    )
