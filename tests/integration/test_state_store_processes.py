"""Many processes on one state store behave as if they had taken turns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from edgemind.adapters.state_store.json_file import JsonFileStateStore
from tests.support.dynamodb_stores import dynamodb_store
from tests.support.engines.aws import LocalAws
from tests.support.linearizability import Operation, linearizable
from tests.support.store_processes import start

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


def contended(
    store: str, processes: int, rounds: int, environment: Mapping[str, str] | None = None
) -> Sequence[Operation]:
    """What all processes did, and what they were answered."""
    contenders = [
        start("contend", store, f"p{number}", str(rounds), environment=environment) for number in range(processes)
    ]
    answers = [process.communicate(timeout=300)[0].decode().splitlines() for process in contenders]

    assert [process.returncode for process in contenders] == [0] * processes
    history = [
        Operation(int(begin), int(end), kind, argument, result)
        for begin, end, kind, argument, result in (line.split(" ") for answer in answers for line in answer)
    ]
    assert len(history) == processes * rounds * 2
    assert {entry.result for entry in history} >= {"added", "refused", "revoked"}
    return history


def test_processes_never_pass_the_limit_together_and_every_answer_fits_one_order(tmp_path: Path) -> None:
    history = contended(str(tmp_path), processes=6, rounds=12)

    assert max(len(entry.result.split(",")) - 1 for entry in history if entry.kind == "live") == 2
    assert linearizable(history, Live(), two_live_keys)
    assert len(JsonFileStateStore(tmp_path).list_keys()) == sum(entry.result == "added" for entry in history)


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", ["dynamodb_local", "ministack"])
def test_processes_on_a_table_do_not_either(request: pytest.FixtureRequest, name: str) -> None:
    """Lists are left out: a query of DynamoDB is no snapshot, so two of them may show two changes in either order."""
    engine: LocalAws = request.getfixturevalue(name)
    table = engine.new_table()
    history = contended(f"table:{table}", processes=16, rounds=6, environment=engine.environment())

    changes = [entry for entry in history if entry.kind != "live"]
    assert linearizable(changes, Live(), two_live_keys)
    done = Counter(entry.result for entry in changes)
    store = dynamodb_store(engine, table)
    keys = store.list_keys()
    assert len(keys) == done["added"]
    assert sum(key.live for key in keys) == done["added"] - done["revoked"]
    # Every change has a version of its own.
    assert store.keys_version() == str(done["added"] + done["revoked"])
