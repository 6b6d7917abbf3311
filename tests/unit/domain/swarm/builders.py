"""Short ways to make members, ballots and answers, and a script runner for dialogues with one member."""

import re
from collections.abc import Iterator
from dataclasses import replace

from edgemind.domain.swarm.ballots import quorum
from edgemind.domain.swarm.member import SwarmMember
from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.pace import Pace
from edgemind.domain.swarm.protocol import (
    Answer,
    Answered,
    Applied,
    AskVoter,
    Breached,
    Effect,
    Ended,
    Event,
    Execute,
    Found,
    Learned,
    Membership,
    Ranked,
    Received,
    Refused,
    Send,
    Started,
    StoreCall,
    Tick,
    Trouble,
)
from edgemind.domain.swarm.records import KEEP, Action, Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState

SHIFT = Candidate(Action.SHIFT, "b", 100, of="a")
TAKE_OVER = Candidate(Action.FAIL_OVER, "b", of="c")
SCALE = Candidate(Action.SCALE_OUT, "a", 3, model="model")
CANDIDATES = (SHIFT, TAKE_OVER, SCALE, KEEP)
BY_NAME = {"shift": SHIFT, "take_over": TAKE_OVER, "scale": SCALE, "keep": KEEP}
NAMES = {candidate: name for name, candidate in BY_NAME.items()}
ROSTER = ("a", "b", "c")


def fence(text: str) -> Fence:
    epoch, number = text.split(".")
    return Fence(int(epoch), int(number))


def ranking(first: str) -> tuple[str, ...]:
    """All candidates, `first` of them in front."""
    order = sorted(CANDIDATES, key=lambda candidate: (candidate != BY_NAME[first], candidate.id))
    return tuple(candidate.id for candidate in order)


def ballot(site: str, first: str = "shift", of: str = "1.1") -> Ballot:
    return Ballot(fence(of), site, ranking(first))


def open_round(of: str = "1.1", roster: tuple[str, ...] = ROSTER, nonce: str = "other") -> CurrentRound:
    return CurrentRound(fence(of), RoundState.OPEN, CANDIDATES, roster, quorum(len(roster)), nonce)


def decided_round(of: str, outcome: str, nonce: str = "other", decision_nonce: str = "other") -> CurrentRound:
    return replace(
        open_round(of, nonce=nonce),
        state=RoundState.DECIDED,
        outcome=Outcome(BY_NAME[outcome]),
        voters=("a", "b"),
        decision_nonce=decision_nonce,
    )


def member(site: str = "a", roster: tuple[str, ...] = ROSTER, known: str = "1.0", incarnation: int = 1) -> SwarmMember:
    made = SwarmMember(site, incarnation, Pace(), fence(known))
    assert made.step(Membership(roster), 0.0) == []
    return made


class Dialogue:
    """Lines `> TIME event` and, below each, the effects that the member must ask for, one a line and all of them."""

    def __init__(self, text: str) -> None:
        self.lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        header = dict(part.split("=") for part in self.lines[0].split()[1:])
        self.member = member(header.get("site", "a"), tuple(header.get("roster", "abc")), header.get("known", "1.0"))
        self.calls: dict[str, StoreCall] = {}

    def run(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """(event, effects as written, effects as they are) for each event."""
        block: list[str] = []
        event = ""
        for line in [*self.lines[1:], "> end"]:
            if line.startswith(">"):
                if event:
                    yield event, block, self._play(event)
                event, block = line[1:].strip(), []
            else:
                block.append(line)

    def _play(self, line: str) -> list[str]:
        time, _, rest = line.partition(" ")
        effects = self.member.step(self._event(rest), float(time))
        self.member.validate()
        return [shown for effect in effects if (shown := self._show(effect))]

    def _event(self, text: str) -> Event:
        words = text.split()
        match words:
            case ["tick"]:
                return Tick()
            case ["started"]:
                return Started()
            case ["breach"]:
                return Breached(CANDIDATES[:-1])
            case ["roster", sites, *suspected]:
                return Membership(tuple(sites), frozenset("".join(suspected)))
            case ["ranked", of, first]:
                return Ranked(fence(of), ranking(first))
            case [sender, "says", *message]:
                return Received(self._message(sender, message))
            case ["store", call, *answer]:
                number, _, copy = call.partition("#")
                made = self.calls[number]
                return Answered(made.call, int(copy or 1), self._answer(answer, made))
        raise ValueError(f"no event: {text}")

    def _message(self, sender: str, words: list[str]) -> Message:
        match words:
            case ["wake", of]:
                return Wake(sender, fence(of), CANDIDATES, ROSTER)
            case ["hint", of]:
                return Hint(sender, open_round(of))
            case ["ack", of, first]:
                return Acknowledge(sender, ballot(sender, first, of))
            case ["announce", of, outcome]:
                return Announce(sender, fence(of), Outcome(BY_NAME[outcome]))
        raise ValueError(f"no message: {words}")

    def _answer(self, words: list[str], call: StoreCall) -> Answer:
        match words:
            case ["applied"]:
                return Applied()
            case ["unknown"]:
                return Trouble.UNKNOWN
            case ["throttled"]:
                return Trouble.THROTTLED
            case ["refused", *held]:
                return Refused(self._held(held, getattr(call.request, "nonce", "other")))
            case ["ballots", of, *cast]:
                votes = (vote.split("=") for vote in cast)
                return Found(ballots=tuple(ballot(site, first, of) for site, first in votes))
            case ["current", *held]:
                current = self._held(held, "other")
                return Found(current=current if isinstance(current, CurrentRound) else None)
        raise ValueError(f"no answer: {words}")

    def _held(self, words: list[str], nonce: str) -> CurrentRound | Ballot:
        """The item in a refusal; "mine" says that it bears the nonce of the write that was refused."""
        match words:
            case ["open", of, *mine]:
                return open_round(of, nonce=nonce if mine else "other")
            case ["decided", of, outcome, *mine]:
                return decided_round(of, outcome, decision_nonce=nonce if mine else "other")
            case ["provisioned", of]:
                return CurrentRound(fence(of), RoundState.DECIDED)
            case ["claimed", of, incarnation]:
                return replace(decided_round(of, "take_over"), claims={"b": int(incarnation)})
            case ["ballot", site, of, first]:
                return ballot(site, first, of)
        raise ValueError(f"no item: {words}")

    def _show(self, effect: Effect) -> str:
        match effect:
            case StoreCall(call, copy, request):
                kind = re.sub(r"(?<!^)([A-Z])", r"_\1", type(request).__name__).lower()
                self.calls.setdefault(f"{kind}{call}", effect)
                outcome = getattr(request, "outcome", None)
                said = f" {_outcome(outcome)} by {','.join(request.voters)}" if outcome else ""  # type: ignore[union-attr]
                of = getattr(request, "fence", None)
                return f"{kind}{call}#{copy}{f' {of}' if of else ''}{said}"
            case Send(to, message):
                return f"{to}: {_said(message)}"
            case Learned(of, outcome):
                return f"learned {of} {_outcome(outcome)}"
            case Execute(of, outcome):
                return f"execute {of} {_outcome(outcome)}"
            case AskVoter(of):
                return f"ask_voter {of}"
            case Ended(of):
                return f"ended {of}"


def _outcome(outcome: Outcome) -> str:
    return NAMES[outcome.candidate] + (" (timed out)" if outcome.timed_out else "")


def _said(message: Message) -> str:
    match message:
        case Wake(fence=of):
            return f"wake {of}"
        case Hint(round=round_):
            return f"hint {round_.fence}"
        case Acknowledge(ballot=cast):
            best = next(name for name, candidate in BY_NAME.items() if candidate.id == cast.ranking[0])
            return f"ack {cast.fence} {best}"
        case Announce(fence=of, outcome=outcome):
            return f"announce {of} {_outcome(outcome)}"
