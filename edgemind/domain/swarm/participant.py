"""A site's voter: one ballot a round, stored before anybody hears of it."""

from edgemind.domain.swarm.messages import Acknowledge, Hint
from edgemind.domain.swarm.protocol import Applied, AskVoter, Conclusion, Effect, Ranked, Refused, Send
from edgemind.domain.swarm.records import Ballot, Fence
from edgemind.domain.swarm.repetition import StoreCalls
from edgemind.domain.swarm.writes import PutBallot


class Participant:
    """Votes in the newest round it was hinted at."""

    def __init__(self, me: str, calls: StoreCalls) -> None:
        self._me = me
        self._calls = calls
        self._fence: Fence | None = None
        self._write: PutBallot | None = None
        self._ballot: Ballot | None = None
        """As it stands in the store; None until that is known."""
        self._asking: set[str] = set()

    def hinted(self, hint: Hint) -> list[Effect]:
        round_ = hint.round
        if self._me not in round_.roster or (self._fence is not None and round_.fence < self._fence):
            return []
        if round_.fence == self._fence:
            self._asking.add(hint.sender)
            return [Send(hint.sender, Acknowledge(self._me, self._ballot))] if self._ballot is not None else []
        self._forget()
        self._fence, self._asking = round_.fence, {hint.sender}
        return [AskVoter(round_.fence, round_.candidates)]

    def ranked(self, answer: Ranked, now_ms: float) -> list[Effect]:
        if answer.fence != self._fence or self._write is not None:
            return []
        self._write = PutBallot(Ballot(answer.fence, self._me, answer.ranking))
        return [self._calls.start(self._write, now_ms)]

    def stored(self, write: PutBallot, conclusion: Conclusion) -> list[Effect]:
        """A refusal carries the ballot that this site, before a restart, cast first: that one stands."""
        if write is not self._write:
            return []
        if isinstance(conclusion, Applied):
            self._ballot = write.ballot
        elif isinstance(conclusion, Refused) and isinstance(conclusion.held, Ballot):
            self._ballot = conclusion.held
        else:
            return []
        return [Send(site, Acknowledge(self._me, self._ballot)) for site in sorted(self._asking)]

    def learned(self, fence: Fence) -> None:
        """That round is over: a ballot for it that is not stored yet is no longer needed."""
        if self._fence is not None and self._fence <= fence:
            self._forget()

    def _forget(self) -> None:
        if self._ballot is None:
            self._calls.forget(self._write)
        self._write = self._ballot = None
        self._asking = set()
