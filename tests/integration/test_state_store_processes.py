"""Many processes on one JSON state store behave as if they had taken turns."""

from pathlib import Path

from edgemind.adapters.state_store.json_file import JsonFileStateStore
from tests.support.linearizability import Operation, linearizable
from tests.support.store_processes import start

PROCESSES = 6
ROUNDS = 12

Live = frozenset[str]


def two_live_keys(live: Live, operation: Operation) -> Live | None:
    """A tenant's live keys, of which there may be two, as one process alone would see them change."""
    key = frozenset([operation.argument])
    match operation.kind, operation.result:
        case "add", "added":
            return live | key if len(live) < 2 else None
        case "add", "refused":
            return live if len(live) >= 2 else None
        case "revoke", "revoked":
            return live - key
        case "live", listed:
            return live if live == frozenset(listed.split(",")[1:]) else None
    return None


def test_the_check_itself_tells_right_from_wrong() -> None:
    third = Operation(0, 9, "add", "c", "added")
    history = [Operation(0, 1, "add", "a", "added"), Operation(2, 3, "add", "b", "added")]

    assert linearizable([*history, Operation(4, 5, "live", "-", "live,a,b")], Live(), two_live_keys)
    assert not linearizable([*history, Operation(4, 5, "live", "-", "live,a")], Live(), two_live_keys)
    assert not linearizable([*history, third], Live(), two_live_keys)
    assert linearizable([*history, third, Operation(1, 8, "revoke", "a", "revoked")], Live(), two_live_keys)


def test_processes_never_pass_the_limit_together_and_every_answer_fits_one_order(tmp_path: Path) -> None:
    contenders = [start("contend", str(tmp_path), f"p{number}", str(ROUNDS)) for number in range(PROCESSES)]
    answers = [process.communicate(timeout=50)[0].decode().splitlines() for process in contenders]

    assert [process.returncode for process in contenders] == [0] * PROCESSES
    history = [
        Operation(int(begin), int(end), kind, argument, result)
        for begin, end, kind, argument, result in (line.split(" ") for answer in answers for line in answer)
    ]
    assert len(history) == PROCESSES * ROUNDS * 2
    assert max(len(entry.result.split(",")) - 1 for entry in history if entry.kind == "live") == 2
    assert {entry.result for entry in history} >= {"added", "refused", "revoked"}
    assert linearizable(history, Live(), two_live_keys)
    assert len(JsonFileStateStore(tmp_path).list_keys()) == sum(entry.result == "added" for entry in history)
