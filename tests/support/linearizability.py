"""Could these operations, some of them at the same time, have happened one after another? (Wing and Gong, 1993)"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Operation:
    """`kind(argument) -> result`, somewhere between two readings of one clock that all processes share.

    Without an end its outcome is unknown: it may have happened at any time since, or not at all.
    """

    start_ns: int
    end_ns: int | None
    kind: str
    argument: str
    result: str


def linearizable(
    history: Sequence[Operation], initial: State, step: Callable[[State, Operation], State | None]
) -> bool:
    """True if some order explains every result. `step` gives the state after an operation, None if its result is wrong.

    An operation may come next if no other one that is still to come had ended before it began. Pairs of (operations
    done, state) that led nowhere are not tried again, which keeps histories of a few hundred operations quick.
    """
    ended = sum(1 << place for place, operation in enumerate(history) if operation.end_ns is not None)
    seen: set[tuple[int, State]] = set()
    stack = [(0, initial)]
    while stack:
        done, state = stack.pop()
        if done & ended == ended:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        open_ = [(1 << place, operation) for place, operation in enumerate(history) if not done >> place & 1]
        first_end_ns = min(operation.end_ns for _, operation in open_ if operation.end_ns is not None)
        for bit, operation in open_:
            after = step(state, operation) if operation.start_ns <= first_end_ns else None
            if after is not None:
                stack.append((done | bit, after))
    return False
