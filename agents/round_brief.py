"""What an agent is told of a round, and what it knows once the tools have answered.

The agent and whoever writes down what the ballot rests on work it out by the same function, from the same answers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from agents.lookout import Sight
from agents.policy_model import ToolAnswer
from agents.roles import GET_FLEET_METRICS, GET_SWARM_STATE
from edgemind.domain.swarm.records import Action, Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.swarm.votes import View
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Brief:
    """A round as its voters are told of it; `snapshot` is what the site knew without asking."""

    fence: str
    candidates: tuple[Candidate, ...]
    snapshot: View

    @property
    def model(self) -> str:
        """What the round is about; empty where no candidate names a model."""
        return next((candidate.model for candidate in self.candidates if candidate.model), "")


@dataclass(frozen=True, slots=True)
class Findings:
    """`view` is what the tools said, and the snapshot where they did not; `unusable` has the cause, by tool."""

    view: View
    unusable: Mapping[str, str] = field(default_factory=dict)


def brief_text(fence: Fence, candidates: Sequence[Candidate], view: View, sight: Sight | None = None) -> str:
    """`sight` is there for policies of an operator's own: the library's ranking does not read it."""
    seen = {} if sight is None else {"lookout": asdict(sight)}
    return json.dumps(
        {
            "task": "Rank the candidates of this round for your site.",
            "fence": str(fence),
            "candidates": [_candidate_document(candidate) for candidate in candidates],
            "policy": {
                "hysteresis_ratio": view.policy.hysteresis_ratio,
                "cooldown_ms": view.policy.cooldown_ms,
            },
            "snapshot": {
                "loads": {site: load_document(load) for site, load in view.loads.items()},
                "since_change_ms": view.since_change_ms,
            },
            **seen,
        }
    )


@lru_cache(maxsize=4)
def read_brief(text: str) -> Brief:
    """DocumentInvalid if this is no brief of a round. An agent reads the same text at each of its turns."""
    try:
        document = Fields(json.loads(text), "brief")
    except ValueError as exc:
        raise DocumentInvalid(f"the prompt is no brief of a round: {exc}") from exc
    policy, snapshot = document.object_or_empty("policy"), document.object_or_empty("snapshot")
    return Brief(
        document.text("fence"),
        tuple(_read_candidate(fields) for fields in document.listed("candidates")),
        View(
            read_loads(snapshot),
            VotingPolicy(policy.number("hysteresis_ratio"), policy.number("cooldown_ms")),
            snapshot.number_or_none("since_change_ms"),
        ),
    )


def find_view(brief: Brief, answers: Iterable[ToolAnswer]) -> Findings:
    """What to vote on. A tool that failed, or told what cannot be, is left out, and the snapshot stands for it."""
    loads, since_change_ms = brief.snapshot.loads, brief.snapshot.since_change_ms
    unusable: dict[str, str] = {}
    for answer in answers:
        try:
            if answer.tool == GET_FLEET_METRICS.agent_name:
                loads = _told_loads(brief, answer)
            elif answer.tool == GET_SWARM_STATE.agent_name:
                since_change_ms = _told_since_change(answer)
        except PermanentError as exc:
            unusable[answer.tool] = str(exc)
    return Findings(View(loads, brief.snapshot.policy, since_change_ms), unusable)


def load_document(load: SiteLoad) -> dict[str, Any]:
    return asdict(load)


def read_loads(fields: Fields) -> dict[str, SiteLoad]:
    """The object `loads`, by site: `slots` of all `replicas`, `demand` in requests, whether the site is `up`."""
    return {site: _read_load(one) for site, one in fields.objects("loads").items()}


def _read_load(fields: Fields) -> SiteLoad:
    return SiteLoad(
        fields.count("slots"),
        fields.number("demand"),
        fields.count("replicas", 1),
        fields.flag("up", True),
        fields.count("max_replicas", 1),
    )


def _told_loads(brief: Brief, answer: ToolAnswer) -> Mapping[str, SiteLoad]:
    name = str(GET_FLEET_METRICS)
    fields = Fields(_data(answer, name), name)
    about = fields.text_or_none("model")
    if about is not None and about != brief.model:
        raise DocumentInvalid(f"{name} told of {about!r}, and the round is about {brief.model!r}")
    loads = read_loads(fields)
    missing = sorted(set(brief.snapshot.loads) - set(loads))
    if missing:
        raise DocumentInvalid(f"{name} left out {', '.join(missing[:5])}, which the site knows of")
    # The snapshot says which sites matter to the candidates, the tool how loaded they are.
    return {site: loads[site] for site in brief.snapshot.loads}


def _told_since_change(answer: ToolAnswer) -> float | None:
    name = str(GET_SWARM_STATE)
    data = _data(answer, name)
    # Null is "never"; a field that is gone must not become that, since it would end every cooldown.
    if "since_change_ms" not in data:
        raise DocumentInvalid(f"{name} did not tell since_change_ms")
    return Fields(data, name).number_or_none("since_change_ms")


def _data(answer: ToolAnswer, name: str) -> Mapping[str, Any]:
    if answer.data is None:
        raise DocumentInvalid(answer.failed or f"{name} told nothing")
    return answer.data


def _candidate_document(candidate: Candidate) -> dict[str, Any]:
    document = {
        "id": candidate.id,
        "action": candidate.action.value,
        "site": candidate.site,
        "target": candidate.target,
        "of": candidate.of,
        "model": candidate.model,
    }
    return {name: value for name, value in document.items() if value}


def _read_candidate(fields: Fields) -> Candidate:
    action = fields.text("action")
    if action not in list(Action):
        raise DocumentInvalid(f"{action!r} is no action known here")
    site, of, model = (fields.text_or_none(name) or "" for name in ("site", "of", "model"))
    return Candidate(Action(action), site, fields.count("target", 0), of, model)
