"""Counting: truncated Borda with integers, so that every site that counts the same ballots finds the same winner."""

from collections.abc import Collection, Sequence

from edgemind.domain.swarm.records import RANKED_LIMIT, Ballot, Candidate, CurrentRound


def quorum(roster_size: int) -> int:
    """More than half: two quorums of a roster share a site. Suspected sites count: suspicion never lowers it."""
    return roster_size // 2 + 1


def ranking_length(candidates: int) -> int:
    """How many candidates a ballot must name. Ballots of one length bound what a missing one can change."""
    return min(RANKED_LIMIT, candidates)


def admissible(ballot: Ballot, round_: CurrentRound) -> bool:
    """Whether it counts: of this round, of a site on its roster, a full ranking of its candidates."""
    known = {candidate.id for candidate in round_.candidates}
    return (
        ballot.fence == round_.fence
        and ballot.site in round_.roster
        and len(ballot.ranking) == len(set(ballot.ranking)) == ranking_length(len(known))
        and known.issuperset(ballot.ranking)
    )


def tally(candidates: Sequence[Candidate], ballots: Collection[Ballot]) -> dict[str, int]:
    """Points by candidate: 5 for a first place, 4 for a second, ... 1 for a fifth."""
    points = {candidate.id: 0 for candidate in candidates}
    for ballot in ballots:
        for place, candidate_id in enumerate(ballot.ranking):
            points[candidate_id] += RANKED_LIMIT - place
    return points


def winner(candidates: Sequence[Candidate], ballots: Collection[Ballot]) -> Candidate:
    """The most points; of equals the lowest id."""
    points = tally(candidates, ballots)
    return min(candidates, key=lambda candidate: (-points[candidate.id], candidate.id))


def settled(candidates: Sequence[Candidate], ballots: Collection[Ballot], missing: int) -> bool:
    """Whether no `missing` further ballots can bring another winner."""
    points = tally(candidates, ballots)
    first = min(points, key=lambda candidate_id: (-points[candidate_id], candidate_id))
    # One ballot moves two candidates apart by this at most: first place against last named, or against not named.
    swing = min(RANKED_LIMIT, len(candidates) - 1) * missing
    return all((points[other] + swing, first) < (points[first], other) for other in points if other != first)
