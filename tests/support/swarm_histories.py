"""Histories of one metro's rounds under writers who know little, and what could have happened one after another.

The specification is `edgemind/domain/swarm/writes.py` itself, on one item at a time: an item's history can be explained
by itself, and a store promises nothing about two items at once.
Run as a process: python -m tests.support.swarm_histories STORE NAME STEPS, where STORE is a folder or `table:NAME`.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random

from edgemind.adapters.swarm_store.dynamodb import DynamoDbSwarmStore
from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.adapters.swarm_store.rules import BALLOTS_KEPT_ROUNDS
from edgemind.domain.swarm.documents import parse_round, round_document
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import Ballot, CurrentRound, Fence
from edgemind.domain.swarm.writes import Claim, CurrentWrite, Decide, Genesis, OpenRound, PutBallot
from edgemind.domain.wire import Fields
from edgemind.ports.swarm_store import OutcomeUnknown, SwarmStore, Throttled
from tests.support.linearizability import Operation, linearizable
from tests.support.swarm_checks import CHANGE, ROSTER, SCALE, ballot, claim, decide, opening

GENESIS = json.dumps(round_document(Genesis().applied()), sort_keys=True)
UNHEARD = 0.1
"""Of the writes: the answer is thrown away, or the write is sent only with the writer's next ones; nobody may tell."""
ROUNDS_LIMIT = BALLOTS_KEPT_ROUNDS
"""Later rounds make stores forget the first ones' ballots, which is right and would look like a loss."""
OLD_NEWS = 0.3
"""Of the writes: for the round before the one that the writer believes to be the current one."""


class Writer:
    """Reads and writes as it sees fit, and remembers everything as operations."""

    def __init__(self, store: SwarmStore, name: str, unheard: float = UNHEARD) -> None:
        self.operations: list[Operation] = []
        self._store = store
        self._name = name
        self._unheard = unheard
        self._random = Random(name)
        self._known = Fence(1, 0)
        self._open = False
        self._unsent: list[Callable[[], object]] = []

    def run(self, steps: int) -> None:
        for number in range(steps):
            self._write(number)
            if self._random.random() < 0.3:
                self._read()
        for call in self._unsent:
            call()
        self._read()

    def _write(self, number: int) -> None:
        random, known = self._random, self._known
        nonce = f"{self._name}-{number}"
        fence = Fence(1, known.round - 1) if random.random() < OLD_NEWS and known.round > 1 else known
        # Not as a correct member: it also opens, claims and decides when it should not.
        match random.choice(["decide", "vote", "claim", "open"] if self._open else ["open", "open", "claim", "decide"]):
            case "open" if known.round < ROUNDS_LIMIT:
                self._record(
                    "open", f"{known.next} {nonce}", lambda: self._store.open_round(opening(known.next, nonce))
                )
            case "decide":
                write = write_of("decide", f"{fence} {nonce}")
                assert isinstance(write, Decide)
                self._record("decide", f"{fence} {nonce}", lambda: self._store.decide(write))
            case "claim":
                site, incarnation = random.choice(ROSTER), 1 + random.randrange(9)
                argument = f"{fence} {site} {incarnation}"
                self._record("claim", argument, lambda: self._store.claim(claim(fence, site, incarnation)))
            case "vote":
                vote = write_of("vote", f"{fence} {random.choice(ROSTER)} {random.randrange(2)}")
                assert isinstance(vote, PutBallot)
                place = vote.ballot.ranking != ballot().ranking
                argument = f"{fence} {vote.ballot.site} {int(place)}"
                self._record("vote", argument, lambda: self._store.put_ballot(vote))

    def _read(self) -> None:
        start_ns = time.monotonic_ns()
        current = self._store.read_current()
        self._note(current)
        self._add(start_ns, "read", "-", f"found {_text(current)}")
        fence = self._known
        start_ns = time.monotonic_ns()
        cast = {held.site: held for held in self._store.read_ballots(fence)}
        end_ns = time.monotonic_ns()
        for site in ROSTER:
            found = _vote_text(cast[site]) if site in cast else "none"
            self.operations.append(Operation(start_ns, end_ns, "seen", f"{fence} {site}", found))

    def _record(self, kind: str, argument: str, call: Callable[[], Applied | Refused]) -> None:
        start_ns = time.monotonic_ns()
        fate = self._random.random()
        if fate < self._unheard / 2:
            self._unsent.append(call)
            self.operations.append(Operation(start_ns, None, kind, argument, "unknown"))
            return
        try:
            answer = call()
        except OutcomeUnknown:
            self.operations.append(Operation(start_ns, None, kind, argument, "unknown"))
            return
        except Throttled:
            return
        if fate < self._unheard:
            self.operations.append(Operation(start_ns, None, kind, argument, "unknown"))
            return
        if isinstance(answer, Refused) and isinstance(answer.held, CurrentRound):
            self._note(answer.held)
        elif kind == "open":
            self._known, self._open = self._known.next, True
        elif kind == "decide":
            self._open = False
        self._add(start_ns, kind, argument, _answer_text(answer))
        if self._unsent and self._random.random() < 0.5:
            self._unsent.pop(0)()

    def _note(self, current: CurrentRound) -> None:
        self._known, self._open = current.fence, current.open

    def _add(self, start_ns: int, kind: str, argument: str, result: str) -> None:
        self.operations.append(Operation(start_ns, time.monotonic_ns(), kind, argument, result))


def write_of(kind: str, argument: str) -> CurrentWrite | PutBallot:
    """The write that an operation's argument names: "<fence> <nonce>", or "<fence> <site> <number>"."""
    epoch_round, *rest = argument.split(" ")
    fence = Fence(*(int(part) for part in epoch_round.split(".")))
    match kind:
        case "open":
            return opening(fence, rest[0])
        case "decide":
            return decide(fence, rest[0], SCALE if int(rest[0].rpartition("-")[2]) % 2 else CHANGE)
        case "claim":
            return claim(fence, rest[0], int(rest[1]))
    ranking = ballot().ranking
    return PutBallot(Ballot(fence, rest[0], ranking if rest[1] == "0" else tuple(reversed(ranking))))


# The specification


@cache
def current_step(state: str, operation: Operation) -> str | None:
    """The current round's item after an operation; None if it cannot have answered so."""
    now = parse_round(Fields(json.loads(state), "round"))
    if operation.kind == "read":
        return state if operation.result == f"found {state}" else None
    write = write_of(operation.kind, operation.argument)
    assert isinstance(write, OpenRound | Decide | Claim)
    holds = all(condition(write, now) for condition in type(write).conditions.values())  # type: ignore[arg-type]
    if operation.result not in ("unknown", "applied" if holds else f"refused {state}"):
        return None
    return _text(write.applied(now)) if holds else state


def ballot_step(state: str, operation: Operation) -> str | None:
    """A ballot's item, as its ranking in one text, "none" before it is there."""
    if operation.kind == "seen":
        return state if operation.result == state else None
    write = write_of("vote", operation.argument)
    assert isinstance(write, PutBallot)
    if operation.result not in ("unknown", "applied" if state == "none" else f"refused {state}"):
        return None
    return _vote_text(write.ballot) if state == "none" else state


def unexplained(history: Sequence[Operation]) -> list[str]:
    """The items whose history no order explains."""
    current = [each for each in history if each.kind in ("open", "decide", "claim", "read")]
    found = [] if linearizable(current, GENESIS, current_step) else ["current round"]
    votes: dict[str, list[Operation]] = {}
    for each in history:
        if each.kind in ("vote", "seen"):
            votes.setdefault(" ".join(each.argument.split(" ")[:2]), []).append(each)
    return found + [f"ballot {item}" for item, own in votes.items() if not linearizable(own, "none", ballot_step)]


# Texts


def _text(current: CurrentRound) -> str:
    return json.dumps(round_document(current), sort_keys=True)


def _vote_text(held: Ballot) -> str:
    return ",".join(held.ranking)


def _answer_text(answer: Applied | Refused) -> str:
    if isinstance(answer, Applied):
        return "applied"
    assert isinstance(answer.held, CurrentRound | Ballot)
    return f"refused {_text(answer.held) if isinstance(answer.held, CurrentRound) else _vote_text(answer.held)}"


def lines_of(operations: Iterable[Operation]) -> Iterator[str]:
    for each in operations:
        yield json.dumps([each.start_ns, each.end_ns, each.kind, each.argument, each.result])


def operations_of(lines: Iterable[str]) -> list[Operation]:
    return [Operation(*json.loads(line)) for line in lines]


def opened(store: str) -> SwarmStore:
    """`table:NAME` is on the AWS of the environment; anything else is the directory of a file."""
    kind, _, table = store.partition(":")
    if kind != "table":
        return JsonFileSwarmStore(Path(store), "test", lock_timeout_s=60.0)
    return DynamoDbSwarmStore(lambda: table, "test", timeout_s=30.0)


if __name__ == "__main__":
    writer = Writer(opened(sys.argv[1]), sys.argv[2])
    writer.run(int(sys.argv[3]))
    print(*lines_of(writer.operations), sep="\n")
