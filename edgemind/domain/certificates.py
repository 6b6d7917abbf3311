"""What a certificate of the fleet says: which site it is of, where that listens, and until when it is good."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EXPIRY_WARNING_DAYS = 14
DAY_S = 86_400.0


def site_uri(metro: str, site: str) -> str:
    """A site's name in certificates, a SPIFFE ID: other issuers can make it too."""
    return f"spiffe://{metro}/site/{site}"


class Standing(StrEnum):
    GOOD = "good"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Certificate:
    """`uris` name sites, `hosts` are the names and addresses it is good for; `not_after_s` is Unix time."""

    uris: tuple[str, ...]
    hosts: tuple[str, ...]
    not_after_s: float

    def days_left(self, now_s: float) -> float:
        return (self.not_after_s - now_s) / DAY_S

    def standing(self, now_s: float) -> Standing:
        left = self.days_left(now_s)
        if left <= 0:
            return Standing.EXPIRED
        return Standing.EXPIRING if left < EXPIRY_WARNING_DAYS else Standing.GOOD


def names_of(peer: Mapping[str, Any] | None, *kinds: str) -> tuple[str, ...]:
    """The alternative names of some kinds in a verified certificate, as Python's ssl module tells it."""
    return tuple(value for kind, value in (peer or {}).get("subjectAltName", ()) if kind in kinds)
