"""A recorded round once more, through the code that ran it: the same views and ballots must give the same outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgemind.domain.swarm.ballots import quorum, settled, tally, winner
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import KEEP, Ballot, Outcome
from edgemind.domain.swarm.voter import rank
from edgemind.domain.swarm.votes import Vote


@dataclass(frozen=True, slots=True)
class Check:
    """One thing computed again. `replayed` None: what it rests on was not recorded where this record was kept."""

    what: str
    recorded: str
    replayed: str | None

    @property
    def agrees(self) -> bool:
        return self.replayed is None or self.replayed == self.recorded


def replay(record: RoundRecord) -> list[Check]:
    """Every check in the order of the round: votes, ballots, quorum, tally, outcome."""
    return [*_votes(record), *_count(record)]


def replayed_ranking(record: RoundRecord, vote: Vote) -> tuple[str, ...]:
    """What the library's voter says to the view of `vote`, whoever gave that vote."""
    return rank(record.candidates, vote.view.loads, vote.view.policy, vote.view.since_change_ms)


def counted(record: RoundRecord) -> list[Ballot] | None:
    """The ballots that were counted; None unless all of them were recorded."""
    if not record.ballots.keys() >= set(record.voters):
        return None
    return [Ballot(record.fence, site, record.ballots[site].ranking) for site in record.voters]


def _votes(record: RoundRecord) -> Iterator[Check]:
    for site, vote in sorted(record.votes.items()):
        said = f"the vote of {site} ({vote.voter})"
        yield Check(said, _listed(vote.ranking), _listed(replayed_ranking(record, vote)))
        if site in record.ballots:
            cast = record.ballots[site].ranking
            yield Check(f"the ballot of {site}, against its vote", _listed(cast), _listed(vote.ranking))


def _count(record: RoundRecord) -> Iterator[Check]:
    if record.quorum:
        yield Check("the quorum", str(record.quorum), str(quorum(len(record.roster))))
    if record.outcome is None:
        return
    ballots = counted(record) if record.coordinated else None
    if ballots is None:
        yield Check("the outcome", _outcome(record.outcome), None)
        return
    points = tally(record.candidates, ballots)
    yield Check("the tally", _points(record.tally), _points(points if ballots else {}))
    enough = len(ballots) >= record.quorum
    outcome = Outcome(winner(record.candidates, ballots)) if enough else Outcome(KEEP, timed_out=True)
    yield Check("the outcome", _outcome(record.outcome), _outcome(outcome))


def why_decided_then(record: RoundRecord) -> str | None:
    """Why the coordinator did not wait any longer; None where this record cannot tell."""
    ballots = counted(record)
    if record.outcome is None or ballots is None or not record.coordinated:
        return None
    missing = [site for site in record.roster if site not in record.voters]
    if record.outcome.timed_out:
        return "no quorum had voted when the time was over"
    if not missing:
        return "every site had voted"
    if settled(record.candidates, ballots, len(missing)):
        return f"no ballot still missing ({', '.join(missing)}) could have changed the winner"
    if set(missing) <= set(record.suspected):
        return f"only suspected sites were missing ({', '.join(missing)})"
    return f"a quorum had voted, and the time to wait for {', '.join(missing)} was over"


def _listed(ranking: tuple[str, ...]) -> str:
    return " > ".join(ranking)


def _points(points: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(points.items()))


def _outcome(outcome: Outcome) -> str:
    return f"{outcome.candidate.id}{' (timed out)' if outcome.timed_out else ''}"
