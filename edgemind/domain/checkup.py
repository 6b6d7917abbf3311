"""What a look at a running fleet found: each finding with its mend."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """WARNING: it works, and soon may not, or nobody can tell. BAD: something that should work does not."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Observation:
    """`subject` is what was looked at, `found` what was seen, `mend` what to do about it; empty if all is well."""

    subject: str
    standing: Standing
    found: str
    mend: str = ""


def well(observations: Iterable[Observation]) -> bool:
    return not any(one.standing is Standing.BAD for one in observations)
