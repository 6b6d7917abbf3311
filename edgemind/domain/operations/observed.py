"""What alerts are decided by: each KPI against its limits, each site's report, and what a site knows of itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgemind.domain.alerts.engine import Observation
from edgemind.domain.alerts.rules import (
    AUDIT_BROKEN,
    CONFIG_REFUSED,
    RULES,
    SITE_DOWN,
    STORE_UNREACHABLE,
    TELEMETRY_DROPS,
)
from edgemind.domain.kpi import BY_NAME, Kpi, Level, Tier
from edgemind.domain.operations.metro import Measured

TEXT_LIMIT = 300


@dataclass(frozen=True, slots=True)
class SiteTroubles:
    """What a site knows to be wrong with itself, in words; None where all is well. `unknown` names what has no source
    here.
    """

    config_refused: str | None = None
    store_unreachable: str | None = None
    audit_broken: str | None = None
    telemetry_drops: str | None = None
    unknown: frozenset[str] = frozenset()


def of_site(site: str, troubles: SiteTroubles) -> list[Observation]:
    seen = []
    for name in (CONFIG_REFUSED, STORE_UNREACHABLE, AUDIT_BROKEN, TELEMETRY_DROPS):
        if name in troubles.unknown:
            continue
        trouble: str | None = getattr(troubles, name)
        text = f"{RULES[name].text} {trouble}"[:TEXT_LIMIT] if trouble is not None else ""
        seen.append(Observation(name, site, RULES[name].level if trouble is not None else Level.OK, text))
    return seen


def of_reports(ages_ms: Mapping[str, float], tier: Tier) -> list[Observation]:
    """One a site that should be there."""
    kpi = BY_NAME[SITE_DOWN]
    return [
        _limited(kpi, age_ms, tier, site, f"{site} has told nothing for {age_ms / 1000:.1f} s")
        for site, age_ms in sorted(ages_ms.items())
    ]


def of_kpis(measured: Mapping[str, Measured], tier: Tier) -> list[Observation]:
    """Those of the metro as a whole."""
    return [_of_kpi(BY_NAME[name], one, tier) for name, one in measured.items() if name != SITE_DOWN]


def _of_kpi(kpi: Kpi, one: Measured, tier: Tier) -> Observation:
    """What is quiet is well, so that an alert ends; a ratio of few requests is as good as unknown otherwise."""
    if one.quiet is not None:
        return Observation(kpi.name, None, Level.OK, f"{kpi.title}: {one.quiet}.", kpi.name, unit=kpi.unit)
    few = kpi.of_requests is not None and (one.requests or 0) < kpi.of_requests.least
    return _limited(kpi, None if few else one.value, tier, None, _sentence(kpi, one))


def _limited(kpi: Kpi, value: float | None, tier: Tier, site: str | None, text: str) -> Observation:
    level, limits = kpi.level(value, tier), kpi.limits[tier]
    limit = {Level.CRITICAL: limits.critical, Level.WARNING: limits.warning}.get(level)
    against = f", against {shown(limit, kpi.unit)}." if limit is not None else "."
    return Observation(kpi.name, site, level, text + against, kpi.name, value, limit, kpi.unit)


def _sentence(kpi: Kpi, one: Measured) -> str:
    window = f" over {one.window_s // 60} min" if one.window_s is not None and one.window_s >= 60 else ""
    return f"{kpi.title} is {shown(one.value, kpi.unit)}{window}"


def shown(value: float | None, unit: str) -> str:
    """A value with its unit as people read it; ratios as percent, with as many digits as it takes to tell from 100."""
    if value is None:
        return "unknown"
    if unit == "ratio":
        return f"{value * 100:.4g} %"
    return f"{value:.4g} {unit}"
