"""What a round changed about the routing table: a site's overflow of one model goes to a site that was agreed on.

A shift is part of the load that the relieved site reports, like its arrivals. So every controller computes its table
from the same shifts, one that was away learns of them with the first beacon, and a site that dies takes its shifts with
it: nothing has to expire, and nobody has to agree on the end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgemind.domain.swarm.records import Action, Fence, Outcome

RELIEF_RATIO = 0.8
"""To how much of the ordinary fill a site is filled while its overflow is shifted.

The table keeps an overloaded site just full, whatever it sends elsewhere; but a site that breaches has a backlog, and
that drains only while less comes in than it can do.
"""
FITS_RATIO = 0.9
"""Of the relieved fill: what a site's own demand must fall below before its shift may end. The overlay moves nothing
any more then, so its end moves nothing either."""


@dataclass(frozen=True, slots=True)
class Shift:
    """`to` takes `percent` of what the site that reports this has too much of `model`, by the decision `fence`."""

    model: str
    to: str
    percent: int
    fence: Fence


def shift_of(fence: Fence, outcome: Outcome) -> Shift | None:
    """The shift that an outcome asks of the site `candidate.of`, if it is one."""
    candidate = outcome.candidate
    if candidate.action is not Action.SHIFT:
        return None
    return Shift(candidate.model, candidate.site, candidate.target, fence)


def with_shift(shifts: Iterable[Shift], shift: Shift) -> tuple[Shift, ...]:
    """One shift a model: the newest decision about it replaces the others, and an older one changes nothing."""
    by_model: dict[str, Shift] = {}
    for one in (*shifts, shift):
        held = by_model.get(one.model)
        if held is None or one.fence >= held.fence:
            by_model[one.model] = one
    return tuple(by_model[model] for model in sorted(by_model))


def without_shift(shifts: Iterable[Shift], model: str) -> tuple[Shift, ...]:
    return tuple(shift for shift in shifts if shift.model != model)


def relieved_fill(fill_ratio: float, shifted: bool) -> float:
    """Up to which share of its capacity a site is filled."""
    return fill_ratio * RELIEF_RATIO if shifted else fill_ratio


def fits(demand_per_s: float, rate_per_s: float, fill_ratio: float) -> bool:
    """Whether a shifted site could serve its own devices without help, and with room to spare."""
    return demand_per_s <= FITS_RATIO * relieved_fill(fill_ratio, shifted=True) * rate_per_s


def reserve(
    shifts: Mapping[str, Shift], left: dict[str, float], room: dict[str, float]
) -> Iterable[tuple[str, str, float]]:
    """(ingress, site, requests per second) of each shift, by the relieved site's name; taken off `left` and `room`.

    `left` is the demand of each ingress, `room` what each site may still be given. A taker is never given more than it
    has room for beside its own devices: what it cannot take is shared out as ever, and so is everything if it serves
    the model no more.
    """
    for of, shift in sorted(shifts.items()):
        overflow = max(0.0, left.get(of, 0.0) - room.get(of, 0.0))
        taken = min(overflow * shift.percent / 100, room.get(shift.to, 0.0) - left.get(shift.to, 0.0))
        if taken > 0.0 and shift.to != of:
            left[of] -= taken
            room[shift.to] -= taken
            yield of, shift.to, taken
