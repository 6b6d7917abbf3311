"""What every advice store promises, whatever it is made of: one suite, run over each adapter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.advice_store.dynamodb import DynamoDbAdviceStore
from edgemind.adapters.advice_store.json_file import JsonFileAdviceStore
from edgemind.adapters.advice_store.memory import MemoryAdviceStore
from edgemind.adapters.state_store.dynamodb_table import DynamoDbTable, TableAddress
from edgemind.domain.advice.changes import AdviceBook, ChangeState, PolicyInForce, Verdict, WriteBook
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.ports.advice_store import AdviceStore, BookChanged
from tests.support.advice import change
from tests.support.engines.aws import LocalAws

ADAPTERS: dict[str, Callable[[Path], AdviceStore]] = {
    "memory": lambda _: MemoryAdviceStore(),
    "json_file": lambda directory: JsonFileAdviceStore(directory / "state", "test", lock_timeout_s=30.0),
}
ENGINES = {"dynamodb_local": [pytest.mark.engine], "ministack": [pytest.mark.engine, pytest.mark.slow]}
STORES = [*ADAPTERS, *(pytest.param(engine, marks=marks) for engine, marks in ENGINES.items())]
WAITING = change(reason='"quoted" \u00fc \U0001f6a6', verdict=Verdict(True, "harmless", 5, {"relief_after": -0.25}))
ACCEPTED = replace(WAITING, state=ChangeState.ACCEPTED, decided_by="operator", decided_ms=5)


def dynamodb_advice_store(engine: LocalAws, table: str, metro: str = "test") -> DynamoDbAdviceStore:
    """With a client of its own, as each process has."""
    return DynamoDbAdviceStore(DynamoDbTable(address_of(engine, table), timeout_s=30.0, patience_s=60.0), metro)


def address_of(engine: LocalAws, table: str) -> TableAddress:
    return TableAddress(lambda: table, engine.region, engine.endpoint_url)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AdviceStore:
    if request.param in ADAPTERS:
        return ADAPTERS[request.param](tmp_path)
    engine: LocalAws = request.getfixturevalue(request.param)
    return dynamodb_advice_store(engine, engine.new_table())


def book(version: int, *changes: object, paused: bool = False) -> AdviceBook:
    return AdviceBook(version, paused, 1, changes)  # type: ignore[arg-type]


def test_a_store_that_nobody_wrote_is_empty(store: AdviceStore) -> None:
    assert (store.read_book(), store.read_policy()) == (AdviceBook(), PolicyInForce())


def test_a_book_comes_back_whole_and_tells_what_is_in_force(store: AdviceStore) -> None:
    store.write_book(WriteBook(book(1, WAITING)))
    assert store.read_policy() == PolicyInForce(1)
    store.write_book(WriteBook(book(2, ACCEPTED, WAITING)))
    assert store.read_book() == book(2, ACCEPTED, WAITING)
    assert store.read_policy() == PolicyInForce(2, False, ACCEPTED)
    store.write_book(WriteBook(book(3, ACCEPTED, paused=True)))
    assert store.read_policy() == PolicyInForce(3, True, ACCEPTED)


def test_a_book_is_written_only_over_the_version_before(store: AdviceStore) -> None:
    store.write_book(WriteBook(book(1, WAITING)))
    for version in (1, 3):
        with pytest.raises(BookChanged, match="look again"):
            store.write_book(WriteBook(book(version)))
    assert store.read_book() == book(1, WAITING)


def test_the_same_write_again_succeeds_again(store: AdviceStore) -> None:
    for _ in range(2):
        store.write_book(WriteBook(book(1, ACCEPTED)))
    assert store.read_policy() == PolicyInForce(1, False, ACCEPTED)


def test_of_many_who_write_at_once_one_succeeds(store: AdviceStore) -> None:
    def attempt(number: int) -> int | None:
        try:
            store.write_book(WriteBook(book(1, replace(WAITING, number=number + 1))))
        except BookChanged:
            return None
        return number + 1

    with ThreadPoolExecutor(8) as pool:
        won = [number for number in pool.map(attempt, range(16)) if number is not None]
    assert len(won) == 1
    assert store.read_book().changes[0].number == won[0]


def test_two_metros_in_one_directory_do_not_meet(tmp_path: Path) -> None:
    one, other = (JsonFileAdviceStore(tmp_path, metro) for metro in ("berlin", "berlin-2"))
    one.write_book(WriteBook(book(1, ACCEPTED)))
    assert other.read_book() == AdviceBook()
    other.write_book(WriteBook(book(1)))
    assert one.read_policy().change == ACCEPTED


def test_another_process_sees_what_was_written_at_its_next_look(tmp_path: Path) -> None:
    one, other = (JsonFileAdviceStore(tmp_path, "test") for _ in range(2))
    for version in (1, 2, 3):
        one.write_book(WriteBook(book(version, ACCEPTED)))
        assert other.read_policy().version == version


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: text[: len(text) // 2], "damaged or cut short"),
        (lambda text: text.replace('"created_ms": 1000', '"created_ms": "noon"'), "created_ms"),
        (lambda text: text.replace('"v": 1', '"v": 0'), "v must be 1 or newer"),
    ],
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, damage: Callable[[str], str], complaint: str) -> None:
    store = JsonFileAdviceStore(tmp_path, "test")
    store.write_book(WriteBook(book(1, WAITING)))
    file = tmp_path / "advice.json"
    damaged = damage(file.read_text())
    file.write_text(damaged)
    for call in (store.read_book, lambda: store.write_book(WriteBook(book(2)))):
        with pytest.raises(StateCorrupt, match=rf"(?s)advice.json cannot be used.*{complaint}.*Move it aside"):
            call()
    assert file.read_text() == damaged


@pytest.mark.engine
def test_one_call_writes_the_book_and_what_is_in_force(dynamodb_local: LocalAws) -> None:
    """A writer that dies, or loses the table, leaves both or neither."""

    class LosesTheTable(DynamoDbTable):
        """After its first write."""

        left = 1

        def _call(self, doing: str, send: Callable[[Any, str], Any]) -> Any:
            if doing == "write to":
                self.left -= 1
                if self.left < 0:
                    raise StoreUnavailable("cut off")
            return super()._call(doing, send)

    address = address_of(dynamodb_local, dynamodb_local.new_table())
    cut_off = DynamoDbAdviceStore(LosesTheTable(address, timeout_s=30.0), "test")
    cut_off.write_book(WriteBook(book(1, ACCEPTED)))
    with pytest.raises(StoreUnavailable, match="cut off"):
        cut_off.write_book(WriteBook(book(2, ACCEPTED, paused=True)))
    assert (cut_off.read_book(), cut_off.read_policy()) == (book(1, ACCEPTED), PolicyInForce(1, False, ACCEPTED))


@pytest.mark.engine
def test_a_damaged_item_is_named_with_what_to_do(dynamodb_local: LocalAws) -> None:
    table = DynamoDbTable(address_of(dynamodb_local, dynamodb_local.new_table()), timeout_s=30.0)
    store = DynamoDbAdviceStore(table, "test")
    store.write_book(WriteBook(book(1, ACCEPTED)))
    key = {"pk": {"S": "G#test"}, "sk": {"S": "POL"}}
    table.transact({"Put": {"Item": {**key, "schema_version": {"S": "1.0"}, "document": {"S": "{"}}}})
    with pytest.raises(StateCorrupt, match=r'pk="G#test", sk="POL" of table .* Delete the items ADV and POL'):
        store.read_policy()
