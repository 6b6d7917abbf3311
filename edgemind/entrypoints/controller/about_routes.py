"""The fleet API about the asking and the asked: which role a token has, and the configuration in force here."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from pydantic import BaseModel, Field

from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.settings import Settings, effective_config


class WhoAmI(BaseModel):
    """What the caller's token may do."""

    role: str = Field(description="viewer, operator or admin.", examples=["viewer"])


class AboutRoutes:
    """`settings` is asked for at each request: a reload may have replaced them."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    def add(self, verbs: Verbs) -> None:
        verbs.get("/whoami", self.whoami, response_model=WhoAmI)
        verbs.get("/config", self.config)

    async def whoami(self, request: Request) -> WhoAmI:
        """The role of the token that this request came with."""
        return WhoAmI(role=request.state.caller.role.name.lower())

    async def config(self) -> dict[str, Any]:
        """The effective configuration of this controller, defaults included; secrets are their references."""
        return effective_config(self._settings())
