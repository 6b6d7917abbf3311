"""Numbers, ages and reason codes as a person would say them. Pure."""

from collections.abc import Mapping, Sequence
from math import floor

from edgemind.domain.kpi import Level
from edgemind.domain.membership import SiteState
from edgemind.domain.requests import SHED_PREFIX

NOTHING = "-"
STATES: Mapping[SiteState, tuple[str, str]] = {
    SiteState.ALIVE: ("●", "in service"),
    SiteState.DRAINING: ("◐", "takes no new requests"),
    SiteState.SUSPECTED: ("▲", "does not answer; gets nothing until it does"),
    SiteState.GONE: ("✕", "silent for long"),
    SiteState.DECLARED: ("○", "taken from the configuration; it has no controller"),
}
"""A sign and a meaning for each: the signs differ in shape, so that nothing hangs on telling colours apart."""


def number(value: float | None) -> str:
    """As many decimals as a person reads: 0.42, 7.3, 412, 12,345."""
    if value is None:
        return NOTHING
    size = abs(value)
    if size >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 1 else f"{value:.2f}"


def milliseconds(ms: float | None) -> str:
    """A duration in the unit that fits: 412 ms, 3.2 s, 5 min."""
    if ms is None:
        return NOTHING
    if ms < 1000:
        return f"{number(ms)} ms"
    return f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"


def share(part: float, whole: float) -> str:
    """A percentage that never says 0 or 100 of what is not."""
    if whole <= 0:
        return NOTHING
    ratio = part / whole
    if 0 < ratio < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= ratio < 1 else f"{ratio:.0%}".replace("%", " %")


def period(seconds: float | None) -> str:
    """The stretch of time that counts stand for."""
    return "since the gateways started" if seconds is None else f"in the last {max(1, round(seconds))} s"


def plain_reason(reason: str) -> str:
    """Reasons for which nobody took a request are marked as such on the wire."""
    return reason.removeprefix(SHED_PREFIX)


def under_way(status: int | None, actual_ms: float | None) -> bool:
    """Whether a request is not at its end yet: nothing was answered, or an answer began that goes on."""
    return not status or (status < 400 and not actual_ms)


LEVELS: Mapping[Level, tuple[str, str]] = {
    Level.OK: ("●", "on target"),
    Level.INFO: ("◆", "for information"),
    Level.WARNING: ("▲", "warning"),
    Level.CRITICAL: ("✕", "critical"),
    Level.UNKNOWN: ("○", "not measured"),
}
"""A sign and a word for each, as for the states of sites."""


def percent(ratio: float) -> str:
    """More decimals near the top, where targets are; 100 % and 0 % of nothing else than all and none."""
    value = ratio * 100.0
    if 98.0 <= value < 100.0:
        # Rounded down: a target that is missed by a hair is missed.
        return ">99.99 %" if value > 99.99 else f"{floor(value * 100 + 1e-6) / 100:g} %"
    if 0.0 < value < 0.1:
        return "<0.1 %"
    return f"{value:.0f} %" if float(f"{value:.1f}").is_integer() else f"{value:.1f} %"


def measured(value: float | None, unit: str) -> str:
    """A KPI's value or target in its unit: ms, ratio, s or min; what is not measured is unknown, not zero."""
    if value is None:
        return "unknown"
    if unit == "ratio":
        return percent(value)
    if unit == "ms":
        return milliseconds(value)
    return f"{number(value)} {unit}".strip()


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 22 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def ago(ms: float) -> str:
    """How long something has lasted. Clocks that disagree make no negative times."""
    seconds = max(0.0, ms / 1000.0)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
