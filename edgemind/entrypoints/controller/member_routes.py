"""The fleet API's part about who belongs to the metro: invitations, joining with a token, removal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, Field

from edgemind.domain.join_tokens import TTL_LIMIT_S, JoinRefused
from edgemind.domain.swarm.roster import RosterMember
from edgemind.entrypoints.controller.answers import ApiRefusal
from edgemind.errors import ConfigurationError, PermanentError, StateCorrupt, TemporaryError
from edgemind.services.metro_members import MetroMembers
from edgemind.settings import Settings, declaration_text, newcomers_config, read_declaration

TTL_LEAST_S = 60
_INVALID = "invalid_request_error"
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class MetroDoor:
    """Who admits sites, and the settings in force, against which declarations are checked."""

    members: MetroMembers
    settings: Callable[[], Settings]


@dataclass(frozen=True, slots=True)
class InvitationAnswer:
    """`token` is shown this once. `expires_ms` is wall time in milliseconds."""

    site: str
    token: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class RosterAnswer:
    """The members from the next round on."""

    metro: str
    version: int
    members: list[str]


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """`config` is an edgemind.yaml for the newcomer. No secret is in it: the fleet's comes by another way."""

    metro: str
    version: int
    members: list[str]
    config: dict[str, Any]


class JoinRequest(BaseModel):
    """`declaration`: the site, in the shape of an entry of `sites` in edgemind.yaml."""

    token: str = Field(max_length=256)
    declaration: dict[str, Any]


class MemberRoutes:
    """`door` is None where nobody can join: with a store that is shared with nobody."""

    def __init__(self, door: MetroDoor | None) -> None:
        self._door = door

    async def invite(
        self,
        name: Annotated[
            str, Path(description="The name that the site will have.", pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
        ],
        ttl_s: Annotated[int, Query(ge=TTL_LEAST_S, le=TTL_LIMIT_S, description="Seconds until it expires.")] = 3600,
    ) -> InvitationAnswer:
        """A one-time token with which a site of this name may join; one that it had before is void."""
        door = self._open()
        made = await _answered(lambda: door.members.invite(name, ttl_s))
        return InvitationAnswer(made.site, made.token, made.expires_ms)

    async def join(self, request: JoinRequest) -> JoinAnswer:
        """Become a member with a token from an invitation, which is all that this needs. The same again is answered
        again."""
        door = self._open()
        settings = door.settings()
        try:
            site = read_declaration(request.declaration, settings)
        except ConfigurationError as exc:
            raise ApiRefusal(400, _INVALID, "invalid_declaration", str(exc), "declaration") from exc
        member = RosterMember(site.name, site.controller or "", declaration_text(site))
        roster = await _answered(lambda: door.members.join(request.token, member))
        return JoinAnswer(settings.metro, roster.version, list(roster.sites), newcomers_config(settings, site))

    async def remove(self, name: Annotated[str, Path(description="A member's name.")]) -> RosterAnswer:
        """Take a site out of the metro's roster: from the next round on it has no vote and starts nothing."""
        door = self._open()
        roster = await _answered(lambda: door.members.remove(name))
        return RosterAnswer(door.settings().metro, roster.version, list(roster.sites))

    def _open(self) -> MetroDoor:
        if self._door is None:
            raise ApiRefusal(
                503,
                "api_error",
                "no_store",
                "nobody can join here: state.store is memory, which no two sites share; choose json or dynamodb",
            )
        return self._door


async def _answered(ask: Callable[[], _Answer]) -> _Answer:
    """Stores block, so they are asked in a thread; what they refuse is said as the API says it."""
    try:
        return await asyncio.to_thread(ask)
    except JoinRefused as exc:
        raise ApiRefusal(403, "permission_error", "join_refused", str(exc), "token") from exc
    except StateCorrupt as exc:
        raise ApiRefusal(500, "api_error", "store_damaged", str(exc)) from exc
    except PermanentError as exc:
        raise ApiRefusal(409, _INVALID, "roster_unchanged", str(exc)) from exc
    except TemporaryError as exc:
        raise ApiRefusal(503, "api_error", "store_unavailable", str(exc)) from exc
