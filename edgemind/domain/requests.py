"""A request as routing sees it, and what routing answers."""

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
