"""Types of arguments that several tools take: what they are called in a schema, and their bounds."""

from typing import Annotated

from pydantic import Field

from edgemind.domain.swarm.vote_documents import FENCE_PATTERN
from edgemind.domain.wire import LONG_TEXT_LIMIT

PAGE_LIMIT = 200
ROUNDS_LIMIT = 100

SiteName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="A site's name, such as site-a.")]
PageLimit = Annotated[int, Field(ge=1, le=PAGE_LIMIT, description="At most so many.")]
After = Annotated[
    str | None, Field(max_length=200, description="Continue behind this name: `next_after` of the page before.")
]
RoundLimit = Annotated[int, Field(ge=1, le=ROUNDS_LIMIT, description="At most so many.")]
Cursor = Annotated[str | None, Field(max_length=400, description="`next_cursor` of the page before.")]
FenceText = Annotated[str, Field(pattern=FENCE_PATTERN, description="A round: its epoch and number, such as 1.17.")]
IfNewest = Annotated[
    str | None,
    Field(
        pattern=FENCE_PATTERN,
        description="Change nothing if a round later than this one is known (get_swarm_state).",
    ),
]
OfRound = Annotated[str | None, Field(pattern=FENCE_PATTERN, description="The round that it belongs to, such as 1.17.")]
Words = Annotated[str, Field(min_length=1, max_length=LONG_TEXT_LIMIT, description="What happened, in words.")]
ModelName = Annotated[str, Field(min_length=1, max_length=200, description="A model's name, as list_models has it.")]
OneModel = Annotated[str | None, Field(max_length=200, description="Of this model only.")]
SomeSites = Annotated[
    list[SiteName] | None, Field(max_length=1000, description="Only these; names that no site has are left out.")
]
OneSite = Annotated[SiteName | None, Field(description="Of this site only.")]
Local = Annotated[
    bool, Field(description="true: only what the asked site knows by itself, a moment old; no other site is asked.")
]
DryRun = Annotated[bool, Field(description="true: tell what would happen, and change nothing.")]
