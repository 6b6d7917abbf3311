"""Candidates, outcomes and effects in words that a person would say."""

from edgemind.domain.swarm.records import Action, Candidate, Outcome


def candidate_words(candidate: Candidate) -> str:
    """`shift 100 % of site-a's llm to site-c`."""
    site, of = candidate.site, candidate.of
    model = candidate.model or "load"
    match candidate.action:
        case Action.SHIFT:
            return f"shift {candidate.target} % of {of}'s {model} to {site}"
        case Action.SCALE_OUT:
            return f"run {candidate.target} replicas of {model} at {site}"
        case Action.FAIL_OVER:
            return f"let {site} take over all that {of} had"
        case Action.DRAIN:
            return f"give {site} no new work"
        case Action.KEEP:
            return "keep things as they are"


def outcome_words(outcome: Outcome | None, ended: str | None = None) -> str:
    if outcome is None:
        return f"no outcome: {ended or 'it is not known here'}"
    if outcome.timed_out:
        return "keep things as they are, for no quorum voted in time"
    return candidate_words(outcome.candidate)
