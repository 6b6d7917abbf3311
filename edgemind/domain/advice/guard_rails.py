"""What a proposal may not ask for, whoever makes it and whatever its reason says. Everything wrong is told at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgemind.domain.advice.changes import Move
from edgemind.domain.advice.settings import (
    ADVISABLE,
    DEFAULT_S,
    LEAST_S,
    LONGEST_S,
    REASON_LIMIT,
    SETTINGS_LIMIT,
    PolicyValues,
)
from edgemind.domain.bounds import OutOfBounds
from edgemind.errors import PermanentError

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody asks for: other values by path, for so long, and why."""

    values: Mapping[str, float]
    reason: str
    for_s: int = DEFAULT_S


class ProposalRefused(PermanentError):
    """`findings`: what is wrong, by the field that is."""

    def __init__(self, findings: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {why}" for field, why in findings.items()))
        self.findings = findings


def moves_of(proposal: Proposal, standing: PolicyValues) -> tuple[Move, ...]:
    """The moves from the values of the file. ProposalRefused with one reason for each field that is refused."""
    findings = _about_all(proposal)
    for path, value in proposal.values.items():
        if (why := _about(path, value, standing)) is not None:
            findings[shown(path)] = why
    if findings:
        raise ProposalRefused(findings)
    try:
        standing.changed(proposal.values)
    except OutOfBounds as exc:
        raise ProposalRefused({exc.field: str(exc)}) from exc
    return tuple(Move(path, standing.value(path), float(value)) for path, value in sorted(proposal.values.items()))


def shown(text: str) -> str:
    """Somebody else's text in a message: short, on one line, and nothing that a terminal obeys."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return short if short.isprintable() else short.encode("unicode_escape").decode("ascii")


def _about_all(proposal: Proposal) -> dict[str, str]:
    findings: dict[str, str] = {}
    if not 1 <= len(proposal.values) <= SETTINGS_LIMIT:
        findings["changes"] = f"names {len(proposal.values)} settings; one change moves 1 to {SETTINGS_LIMIT}"
    if not LEAST_S <= proposal.for_s <= LONGEST_S:
        findings["for_s"] = f"is {proposal.for_s}; a change is in force for {LEAST_S} to {LONGEST_S} s"
    if not proposal.reason.strip() or len(proposal.reason) > REASON_LIMIT:
        findings["reason"] = f"has {len(proposal.reason)} characters; say why in 1 to {REASON_LIMIT}"
    return findings


def _about(path: str, value: float, standing: PolicyValues) -> str | None:
    setting = ADVISABLE.get(path)
    if setting is None:
        return f"advice may not change it; it may change {', '.join(ADVISABLE)}"
    if not math.isfinite(value) or not setting.low <= value <= setting.high:
        return f"is {value:g}; advice may set it from {setting.low:g} to {setting.high:g} {setting.unit}"
    if setting.whole and value != int(value):
        return f"is {value:g}; it is a whole number"
    now = standing.value(path)
    if value == now:
        return f"is {now:g} already"
    if abs(value - now) > setting.step(now) * (1 + 1e-9):
        low, high = setting.reach(now)
        return f"is {value:g}, too far from {now:g}; one change may set it from {low:g} to {high:g} {setting.unit}"
    return None
