"""A vote with what it rests on, so that it can be explained, and given again from the same view."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy


@dataclass(frozen=True, slots=True)
class View:
    """What a site knows when it votes: the loads of the model that the round is about, by site.

    `since_change_ms`: since the site learned of the last decided change, by its own monotonic clock; None if it never
    did.
    """

    loads: Mapping[str, SiteLoad]
    policy: VotingPolicy = field(default_factory=VotingPolicy)
    since_change_ms: float | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that a voter made on the way to its ballot. `failed` holds the cause, if it did."""

    role: str
    tool: str
    arguments: Mapping[str, object]
    result: object
    took_ms: float
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """A site's ranking of candidate ids, best first. `voter` says what spoke: `library`, or `strands`."""

    fence: Fence
    site: str
    ranking: tuple[str, ...]
    view: View
    voter: str
    took_ms: float
    tool_calls: tuple[ToolCall, ...] = ()
