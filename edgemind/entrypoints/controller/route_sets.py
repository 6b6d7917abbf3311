"""Groups of the fleet API's routes, one file each, and how they are registered for those who may ask."""

from dataclasses import dataclass
from typing import Any, Protocol


class Register(Protocol):
    def __call__(self, path: str, endpoint: Any, **more: Any) -> None:
        """`path` below /edgemind/v1; `more` as FastAPI takes it, such as `response_model`."""


@dataclass(frozen=True, slots=True)
class Verbs:
    """`get` is for viewers, `post_advisor` for advisors, `post` for operators, `post_admin` for admins; each role may
    do what those before may."""

    get: Register
    post_advisor: Register
    post: Register
    post_admin: Register


class RouteSet(Protocol):
    def add(self, verbs: Verbs) -> None:
        """Register every route of the set."""
