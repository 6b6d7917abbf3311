"""A request as routing sees it, and what routing answers."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple

from edgemind.domain.fleet import DeviceClass


class Priority(IntEnum):
    """Orders admission when slots are short: the lowest class is shed first."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


class Reason(StrEnum):
    """Why a request runs where it runs; the reason code of every receipt."""

    TABLE = "table"
    OVERRIDE = "override"
    SESSION = "session"
    LEAST_REQUEST = "least_request"
    LOCAL = "local"
    RETRY = "retry"
    CLOUD = "cloud"


class ShedReason(StrEnum):
    """Why no site took a request."""

    NO_HEALTHY_CANDIDATE = "no_healthy_candidate"
    DEADLINE_UNREACHABLE = "deadline_unreachable"
    OVERLOADED = "overloaded"
    RESIDENCY_UNSATISFIABLE = "residency_unsatisfiable"


SHED_PREFIX = "shed:"
"""Marks a ShedReason among reason codes, in records and on the wire."""

IN_WORDS: Mapping[str, str] = {
    Reason.TABLE: "the routing table chose it",
    Reason.OVERRIDE: "fresh reports made another site clearly cheaper than the routing table's choice",
    Reason.SESSION: "the session was served there before, and moving it would gain next to nothing",
    Reason.LEAST_REQUEST: "it had the fewest requests for its slots",
    Reason.LOCAL: "the ingress itself had a free slot",
    Reason.RETRY: "the first choice failed before its first byte",
    Reason.CLOUD: "no site could meet the deadline",
    ShedReason.NO_HEALTHY_CANDIDATE: "no site that may serve it is healthy",
    ShedReason.DEADLINE_UNREACHABLE: "even an idle fleet would miss its deadline",
    ShedReason.OVERLOADED: "every site is too full for its deadline and priority",
    ShedReason.RESIDENCY_UNSATISFIABLE: "no site lies in the residency it asks for",
}


def because(reason: str) -> str:
    """Why, in words, for a reason code; a code of a newer fleet stands for itself."""
    plain = reason.removeprefix(SHED_PREFIX)
    return IN_WORDS.get(plain, plain.replace("_", " "))


class Constraints(NamedTuple):
    """The part of a request that selects its candidate set; equal constraints share one compiled set.

    `residency` holds the zones that may serve it (empty: any). `local_only` marks a request that a neighbour already
    forwarded: it is served here or refused, never passed on again.
    """

    model: str
    residency: frozenset[str] = frozenset()
    device_class: DeviceClass | None = None
    local_only: bool = False


class Demand(NamedTuple):
    """What one request asks of the picker beyond its constraints."""

    deadline_ms: float
    priority: Priority = Priority.NORMAL
    session_site: str | None = None
