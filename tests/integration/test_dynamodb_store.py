"""What only the store on DynamoDB promises: metros apart, pages, damage, and writers that come in a crowd."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from edgemind.adapters.state_store.dynamodb import DynamoDbStateStore
from edgemind.adapters.state_store.dynamodb_table import Item
from edgemind.domain.keys import ApiKey
from edgemind.errors import PermanentError, StateCorrupt, StoreUnavailable
from edgemind.ports.state_store import SiteRegistration
from tests.support.dynamodb_stores import dynamodb_store
from tests.support.engines.aws import LocalAws

pytestmark = pytest.mark.engine

OLD = ApiKey("00000001", "demo", "ab" * 32, created_ms=1_000)
SITE = SiteRegistration("site-a", 7, "http://127.0.0.1:8200", None, 1_000, "0.1.0")
KEY_ITEM = ("KEYS#test", "KEY#00000001")
SITE_ITEM = ("SITES#test", "SITE#site-a")
VERSION_ITEM = ("KEYS#test", "VERSION")


@dataclass(frozen=True, slots=True)
class Table:
    engine: LocalAws
    name: str

    def store(self, metro: str = "test") -> DynamoDbStateStore:
        return dynamodb_store(self.engine, self.name, metro)

    def item(self, place: tuple[str, str]) -> dict[str, Any]:
        answer = self.engine.dynamodb.get_item(TableName=self.name, Key=_key(place), ConsistentRead=True)
        return dict(answer.get("Item", {}))

    def change(self, place: tuple[str, str], edit: Callable[[dict[str, Any]], object]) -> None:
        item = self.item(place)
        edit(item)
        self.engine.dynamodb.put_item(TableName=self.name, Item=item)

    def delete(self, place: tuple[str, str]) -> None:
        self.engine.dynamodb.delete_item(TableName=self.name, Key=_key(place))


def _key(place: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": place[0]}, "sk": {"S": place[1]}}


@pytest.fixture(params=("dynamodb_local", pytest.param("ministack", marks=pytest.mark.slow)))
def table(request: pytest.FixtureRequest) -> Table:
    engine: LocalAws = request.getfixturevalue(request.param)
    return Table(engine, engine.new_table())


@pytest.fixture
def store(table: Table) -> DynamoDbStateStore:
    """A store with one key and one site in it, newly opened."""
    writer = table.store()
    writer.add_key(OLD, live_limit=2)
    writer.put_registration(SITE)
    return table.store()


def test_metros_share_a_table_and_nothing_else(table: Table, store: DynamoDbStateStore) -> None:
    other = table.store("other")
    assert (other.list_keys(), other.list_registrations(), other.keys_version()) == ([], [], "absent")
    for _ in range(2):
        other.add_key(OLD, live_limit=1)
    other.remove_registration("site-a")

    assert store.list_registrations() == [SITE]
    assert store.list_keys() == other.list_keys() == [OLD]


def test_every_item_says_what_schema_it_has(table: Table, store: DynamoDbStateStore) -> None:
    store.revoke_key("00000001", revoked_ms=2_000)
    for place in (KEY_ITEM, SITE_ITEM, VERSION_ITEM, ("KEYS#test", "LIVE#demo")):
        assert table.item(place)["schema_version"] == {"S": "1.0"}, place


def test_more_than_a_page_is_read_to_its_end(table: Table) -> None:
    """A page of DynamoDB ends at 1 MB."""
    names = [f"site-{number:02d}" for number in range(12)]
    store = table.store()
    for name in names:
        store.put_registration(SiteRegistration(name, 1, "http://" + 200_000 * "a", None, 1_000, "0.1.0"))

    page = table.engine.dynamodb.query(
        TableName=table.name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "SITES#test"}}
    )
    assert page["Count"] < len(names)
    assert [entry.site for entry in store.list_registrations()] == names


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", {"S": "ab"}), ("sha256", {"NULL": True}), ("tenant", {"N": "7"}), ("created_ms", {"S": "1"}),
     ("created_ms", {"N": "-1"}), ("created_ms", {"BOOL": True}), ("created_ms", {"N": "1.5"}),
     ("created_ms", {"N": "1e20"}), ("tenant", {"L": []}), ("revoked_ms", {"S": "no"}),
     ("schema_version", {"S": "2.0"}), ("schema_version", {"S": "one"})],
)  # fmt: skip
def test_an_item_with_a_wrong_field_is_named_and_left_as_it_is(
    table: Table, store: DynamoDbStateStore, field: str, value: dict[str, Any]
) -> None:
    table.change(KEY_ITEM, lambda item: item.update({field: value}))
    damaged = table.item(KEY_ITEM)

    says = (
        rf'item pk="KEYS#test", sk="KEY#00000001" of table {table.name} cannot be used: .*left as it is.*point in time'
    )
    with pytest.raises(StateCorrupt, match=says):
        store.list_keys()
    with pytest.raises(StateCorrupt, match=says):
        store.revoke_key("00000001", revoked_ms=9_000)
    with pytest.raises((StateCorrupt, StoreUnavailable)):
        store.add_key(OLD, live_limit=2)
    assert table.item(KEY_ITEM) == damaged


def test_a_key_whose_revocation_was_lost_does_not_come_back_to_life(table: Table, store: DynamoDbStateStore) -> None:
    table.change(KEY_ITEM, lambda item: item.pop("revoked_ms"))
    with pytest.raises(StateCorrupt, match="revoked_ms is missing"):
        store.list_keys()


@pytest.mark.parametrize(
    ("field", "value"), [("schema_version", {"S": "2.0"}), ("schema_version", {"S": ""}), ("incarnation", {"S": "7"})]
)
def test_a_registration_that_cannot_be_read_is_not_replaced(
    table: Table, store: DynamoDbStateStore, field: str, value: dict[str, Any]
) -> None:
    table.change(SITE_ITEM, lambda item: item.update({field: value}))
    damaged = table.item(SITE_ITEM)

    for attempt in (lambda: store.put_registration(SITE), store.list_registrations):
        with pytest.raises(StateCorrupt, match=r'sk="SITE#site-a".*Delete the item: every running site registers'):
            attempt()
    assert table.item(SITE_ITEM) == damaged
    table.delete(SITE_ITEM)
    store.put_registration(SITE)


def test_what_a_newer_minor_version_added_is_kept(table: Table, store: DynamoDbStateStore) -> None:
    newer = {"schema_version": {"S": "1.1"}, "note": {"M": {"of": {"S": "camera fleet"}}}}
    for place in (KEY_ITEM, VERSION_ITEM):
        table.change(place, lambda item: item.update(newer))
    store.revoke_key("00000001", revoked_ms=9_000)

    for place in (KEY_ITEM, VERSION_ITEM):
        assert {name: table.item(place)[name] for name in newer} == newer
    assert [key.revoked_ms for key in store.list_keys()] == [9_000]


def test_keys_that_vanish_under_a_running_process_are_not_taken_for_no_keys(
    table: Table, store: DynamoDbStateStore
) -> None:
    store.list_keys()
    for place in (KEY_ITEM, VERSION_ITEM):
        table.delete(place)

    with pytest.raises(StateCorrupt, match="was there and is gone"):
        store.list_keys()
    assert table.store().list_keys() == []


def test_a_revocation_between_reading_and_writing_stands(
    table: Table, store: DynamoDbStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store._table.get

    def overtaken(key: Item) -> Item | None:
        item = read(key)
        table.store().revoke_key("00000001", revoked_ms=2_000)
        return item

    monkeypatch.setattr(store._table, "get", overtaken)
    assert store.revoke_key("00000001", revoked_ms=9_000).revoked_ms == 2_000
    assert [key.revoked_ms for key in store.list_keys()] == [2_000]
    # One key was added and revoked: two changes.
    assert table.store().keys_version() == "2"


def test_a_table_that_is_not_there_or_not_ours_says_what_to_do(table: Table) -> None:
    with pytest.raises(StateCorrupt, match=r"there is no table no-such-table .*cdk deploy.*state\.table"):
        dynamodb_store(table.engine, "no-such-table").keys_version()
    table.engine.dynamodb.create_table(
        TableName=f"{table.name}-other",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(StateCorrupt, match="string keys pk and sk"):
        dynamodb_store(table.engine, f"{table.name}-other").list_keys()


@pytest.mark.slow
def test_a_crowd_of_writers_loses_nothing(table: Table) -> None:
    """16 writers with a client each: the limit of live keys holds, and no change shares its version with another."""
    stores = [table.store() for _ in range(16)]

    def work(number: int) -> list[str]:
        store, seen = stores[number], []
        for turn in range(4):
            key_id = f"{number:04x}{turn:04x}"
            try:
                store.add_key(
                    ApiKey(key_id, "demo", sha256(key_id.encode()).hexdigest(), created_ms=number), live_limit=3
                )
            except PermanentError:
                seen.append("refused")
            else:
                seen.append("added")
                store.revoke_key(key_id, revoked_ms=1)
        return seen

    with ThreadPoolExecutor(16) as pool:
        answers = [answer for answers in pool.map(work, range(16)) for answer in answers]

    added = answers.count("added")
    assert len(answers) == 64
    assert added >= 3
    keys = stores[0].list_keys()
    assert len(keys) == added
    assert not any(key.live for key in keys)
    # Each added key was a change, and each revocation.
    assert stores[0].keys_version() == str(2 * added)
    assert "ids" not in table.item(("KEYS#test", "LIVE#demo"))


@pytest.mark.slow
def test_a_crowd_at_the_limit_is_let_in_up_to_it(table: Table) -> None:
    stores = [table.store() for _ in range(16)]

    def attempt(number: int) -> bool:
        try:
            stores[number].add_key(ApiKey(f"{number:08x}", "demo", f"{number:064x}", created_ms=number), live_limit=2)
        except PermanentError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        stored = list(pool.map(attempt, range(16)))

    assert sum(stored) == 2
    assert {key.key_id for key in stores[0].list_keys()} == {f"{n:08x}" for n, let_in in enumerate(stored) if let_in}


@pytest.mark.slow
def test_a_crowd_of_heartbeats_leaves_the_latest_incarnation(table: Table) -> None:
    def beat(incarnation: int) -> None:
        # Refused when a later one was first, as it may be.
        with contextlib.suppress(PermanentError):
            table.store().put_registration(SiteRegistration("site-a", incarnation, "http://a:8200", None, 1, "0.1.0"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(beat, range(16)))
    assert [entry.incarnation for entry in table.store().list_registrations()] == [15]
