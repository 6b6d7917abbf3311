"""The accepted change over the values of a site's own file, for as long as it fits them."""

from collections.abc import Mapping

from edgemind.domain.advice.changes import Move, PolicyChange, PolicyInForce
from edgemind.domain.advice.settings import ADVISABLE, PolicyValues
from edgemind.domain.bounds import OutOfBounds


def overlaid(standing: PolicyValues, change: PolicyChange) -> tuple[PolicyValues, str | None]:
    """The values with the change, or those of the file and why the change is left aside.

    It is checked once more: what a store holds may come from a newer version, or from somebody who wrote there by hand.
    As a whole, for as a whole it was judged.
    """
    why = stale(change.moves, standing) or next(filter(None, map(_outside, change.moves)), None)
    if why is not None:
        return standing, why
    try:
        return standing.changed(change.values), None
    except OutOfBounds as exc:
        return standing, str(exc)


def stale(moves: tuple[Move, ...], standing: PolicyValues) -> str | None:
    """What the file says otherwise than when the change was made: an operator has decided anew, and that stands."""
    for move in moves:
        if move.path in ADVISABLE and standing.value(move.path) != move.before:
            now = standing.value(move.path)
            return f"it was made when {move.path} was {move.before:g}, and the configuration says {now:g}"
    return None


def values_in_force(standing: PolicyValues, policy: PolicyInForce, now_ms: int) -> Mapping[str, float]:
    """Of every setting that advice may change."""
    change = policy.at(now_ms)
    values = standing if change is None else overlaid(standing, change)[0]
    return {path: values.value(path) for path in ADVISABLE}


def _outside(move: Move) -> str | None:
    setting = ADVISABLE.get(move.path)
    if setting is None:
        return f"advice may not change {move.path}"
    if not setting.low <= move.after <= setting.high:
        return f"{move.path} {move.after:g} is outside what advice may set ({setting.low:g} to {setting.high:g})"
    if abs(move.after - move.before) > setting.step(move.before) * (1 + 1e-9):
        return f"{move.path} goes from {move.before:g} to {move.after:g}, further than one change may"
    return None
