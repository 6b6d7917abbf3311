"""What the controllers of all other sites say, asked at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from edgemind.errors import PermanentError, TemporaryError
from edgemind.services.neighbourhood import Neighbourhood

_Answer = TypeVar("_Answer")


async def ask_others(
    neighbourhood: Neighbourhood, now_s: float, ask: Callable[[str], Awaitable[_Answer]]
) -> Mapping[str, _Answer | None]:
    """Answers by site; None of those that do not answer.

    Whom anybody in the metro holds to be down is not asked: that is not worth the time-out of everybody who looks.
    """
    names = [site.name for site in neighbourhood.fleet.sites if site.controller_url]
    others = [name for name in names if name != neighbourhood.own.name]
    suspected = neighbourhood.suspected(now_s)

    async def answer(site: str) -> _Answer | None:
        if site in suspected:
            return None
        try:
            return await ask(site)
        except (TemporaryError, PermanentError):
            return None

    answers = await asyncio.gather(*(answer(name) for name in others))
    return dict(zip(others, answers, strict=True))


def silent(answers: Mapping[str, object]) -> list[str]:
    """The sites that did not answer."""
    return [site for site, answer in answers.items() if answer is None]
