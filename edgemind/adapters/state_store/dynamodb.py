"""The state store on AWS: registrations, drains and keys as items of the region's state table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from edgemind.adapters.state_store.dynamodb_items import (
    CONDITION_ABSENT,
    KEY,
    LIVE,
    SITE,
    VERSION,
    Action,
    anchors_partition,
    change,
    drains_partition,
    item_key,
    item_of,
    joins_partition,
    keys_partition,
    record_of,
    sites_partition,
)
from edgemind.adapters.state_store.dynamodb_table import ConditionFailed, DynamoDbTable, Item
from edgemind.adapters.state_store.records import (
    SCHEMA_MAJOR,
    Record,
    anchor_record,
    check_schema,
    drain_record,
    join_token_record,
    key_record,
    read_anchor,
    read_drain,
    read_join_token,
    read_key,
    read_registration,
    registration_record,
)
from edgemind.adapters.state_store.rules import admit_anchor, admit_registration, find_key, same_key, too_many_keys
from edgemind.domain.deployment import TTL_ATTRIBUTE
from edgemind.domain.join_tokens import admit
from edgemind.errors import StateCorrupt
from edgemind.ports.state_store import ApiKey, Checkpoint, JoinToken, SiteRegistration

_SITES_RECOVERY = "Delete the item: every running site registers again within seconds."
_DRAINS_RECOVERY = "Delete the item, and drain the site again if it has to be out of service."
_KEYS_RECOVERY = (
    "Restore the table to a point in time before the damage; if you cannot, delete the item, create new keys with "
    "`edgemind keys create`, and restart what still runs."
)
_JOINS_RECOVERY = "Delete the item, and invite the site anew if it has not joined yet: edgemind sites invite SITE."
_ANCHORS_RECOVERY = (
    "Restore the table to a point in time before the damage; if you cannot, delete the item: the site's audit journal "
    "is anchored anew from here on."
)
_MAJOR = {":major": {"S": f"{SCHEMA_MAJOR}."}}

_Stored = TypeVar("_Stored")


class DynamoDbStateStore:
    """`StateStore` in one table that many metros may share. A method is one call; `revoke_key` is two."""

    def __init__(self, table: DynamoDbTable, metro: str) -> None:
        self._table = table
        self._sites = sites_partition(metro)
        self._drains = drains_partition(metro)
        self._keys = keys_partition(metro)
        self._joins = joins_partition(metro)
        self._anchors = anchors_partition(metro)
        self._recovery = {
            self._anchors: _ANCHORS_RECOVERY,
            self._sites: _SITES_RECOVERY,
            self._drains: _DRAINS_RECOVERY,
            self._keys: _KEYS_RECOVERY,
            self._joins: _JOINS_RECOVERY,
        }
        self._keys_seen = False

    def put_registration(self, registration: SiteRegistration) -> None:
        item = item_of(self._sites, SITE + registration.site, registration_record(registration))
        try:
            self._table.put(
                item,
                # What a newer EdgeMind wrote is not ours to replace.
                f"{CONDITION_ABSENT} OR (begins_with(schema_version, :major) AND incarnation <= :incarnation)",
                {**_MAJOR, ":incarnation": item["incarnation"]},
            )
        except ConditionFailed as refused:
            held = self._registration(_there(refused, 0))
            admit_registration(registration, held)
            raise self._damaged(self._sites, SITE + held.site, "its incarnation cannot be compared") from refused

    def list_registrations(self) -> Sequence[SiteRegistration]:
        held = [self._registration(item) for item in self._table.query(self._sites)]
        return sorted(held, key=lambda registration: registration.site)

    def remove_registration(self, site: str) -> None:
        self._table.delete(item_key(self._sites, SITE + site))

    def set_drain(self, site: str, since_ms: int | None) -> None:
        if since_ms is None:
            self._table.delete(item_key(self._drains, SITE + site))
            return
        item = item_of(self._drains, SITE + site, drain_record(site, since_ms))
        try:
            self._table.put(item, f"{CONDITION_ABSENT} OR begins_with(schema_version, :major)", _MAJOR)
        except ConditionFailed as refused:
            self._typed(_there(refused, 0), read_drain)
            raise

    def drained_sites(self) -> Mapping[str, int]:
        return dict(self._typed(item, read_drain) for item in self._table.query(self._drains))

    def add_key(self, key: ApiKey, live_limit: int) -> None:
        new = item_of(self._keys, KEY + key.key_id, key_record(key))
        try:
            self._table.transact(
                {"Put": {"Item": new, "ConditionExpression": CONDITION_ABSENT}},
                self._change_live(key, "ADD", live_limit),
                self._count_change(),
            )
        except ConditionFailed as refused:
            twin = refused.items[0]
            if twin is None:
                raise too_many_keys(key.tenant, self._live_ids(_there(refused, 1))) from refused
            same_key(self._key(twin), key)

    def revoke_key(self, key_id: str, revoked_ms: int) -> ApiKey:
        # Read first for the tenant, which never changes, and whose set of live keys the transaction has to name.
        item = self._table.get(item_key(self._keys, KEY + key_id))
        key = find_key(key_id, {key_id: self._key(item)} if item else {})
        if not key.live:
            return key
        live = {":live": {"S": "NULL"}, ":revoked": {"N": str(revoked_ms)}}
        try:
            self._table.transact(
                change(self._keys, KEY + key_id, ", revoked_ms = :revoked", live, "attribute_type(revoked_ms, :live)"),
                self._change_live(key, "DELETE"),
                self._count_change(),
            )
        except ConditionFailed as refused:
            item = refused.items[0]
            return find_key(key_id, {key_id: self._key(item)} if item else {})
        return replace(key, revoked_ms=revoked_ms)

    def list_keys(self) -> Sequence[ApiKey]:
        items = list(self._table.query(self._keys))
        self._note_seen(any(item["sk"]["S"] == VERSION for item in items))
        held = [self._key(item) for item in items if item["sk"]["S"].startswith(KEY)]
        return sorted(held, key=lambda key: (key.created_ms, key.key_id))

    def keys_version(self) -> str:
        item = self._table.get(item_key(self._keys, VERSION))
        return "absent" if item is None else str(record_of(item).get("changes"))

    def put_join_token(self, token: JoinToken) -> None:
        record = {**join_token_record(token), TTL_ATTRIBUTE: token.expires_ms // 1000}
        item = item_of(self._joins, SITE + token.site, record)
        try:
            self._table.put(item, f"{CONDITION_ABSENT} OR begins_with(schema_version, :major)", _MAJOR)
        except ConditionFailed as refused:
            self._typed(_there(refused, 0), read_join_token)
            raise

    def use_join_token(self, token: JoinToken, now_ms: int) -> None:
        values = {
            ":sha256": {"S": token.sha256},
            ":now": {"N": str(now_ms)},
            ":unused": {"S": "NULL"},
            ":by": {"S": token.used_by},
        }
        condition = "sha256 = :sha256 AND expires_ms > :now AND (attribute_type(used_by, :unused) OR used_by = :by)"
        try:
            self._table.transact(change(self._joins, SITE + token.site, ", used_by = :by", values, condition))
        except ConditionFailed as refused:
            item = refused.items[0]
            held = None if item is None else self._typed(item, read_join_token)
            admit(held, token, now_ms)
            raise self._damaged(self._joins, SITE + token.site, "it cannot be compared") from refused

    def remove_join_token(self, site: str) -> None:
        self._table.delete(item_key(self._joins, SITE + site))

    def put_audit_anchor(self, checkpoint: Checkpoint) -> None:
        item = item_of(self._anchors, _anchor_key(checkpoint.site, checkpoint.chain), anchor_record(checkpoint))
        condition = (
            f"{CONDITION_ABSENT} OR (begins_with(schema_version, :major) AND "
            "(records < :records OR (records = :records AND head = :head)))"
        )
        values = {**_MAJOR, ":records": item["records"], ":head": item["head"]}
        try:
            self._table.put(item, condition, values)
        except ConditionFailed as refused:
            admit_anchor(checkpoint, self._typed(_there(refused, 0), read_anchor))
            raise

    def audit_anchors(self) -> Sequence[Checkpoint]:
        held = [self._typed(item, read_anchor) for item in self._table.query(self._anchors)]
        return sorted(held, key=lambda one: (one.site, one.chain))

    def remove_audit_anchor(self, site: str, chain: str) -> None:
        self._table.delete(item_key(self._anchors, _anchor_key(site, chain)))

    def _change_live(self, key: ApiKey, verb: str, limit: int | None = None) -> Action:
        values: dict[str, Any] = {":id": {"SS": [key.key_id]}}
        condition = None
        if limit is not None:
            values[":limit"] = {"N": str(limit)}
            condition = "attribute_not_exists(ids) OR size(ids) < :limit"
        return change(self._keys, LIVE + key.tenant, f"{verb} ids :id", values, condition)

    def _count_change(self) -> Action:
        return change(self._keys, VERSION, "ADD changes :one", {":one": {"N": "1"}})

    def _note_seen(self, there: bool) -> None:
        """A table that was emptied or replaced must not look like a store in which nobody has a key."""
        if self._keys_seen and not there:
            raise self._damaged(self._keys, VERSION, "it was there and is gone")
        self._keys_seen = there

    def _registration(self, item: Item) -> SiteRegistration:
        return self._typed(item, read_registration)

    def _key(self, item: Item) -> ApiKey:
        return self._typed(item, read_key)

    def _live_ids(self, item: Item) -> Sequence[str]:
        def read(record: Record) -> Sequence[str]:
            check_schema(record)
            ids = record.get("ids")
            if not isinstance(ids, list):
                raise StateCorrupt("ids is missing or no set of texts")
            return sorted(ids)

        return self._typed(item, read)

    def _typed(self, item: Item, read: Callable[[Record], _Stored]) -> _Stored:
        try:
            return read(record_of(item))
        except StateCorrupt as exc:
            raise self._damaged(item["pk"]["S"], item["sk"]["S"], str(exc)) from exc

    def _damaged(self, pk: str, sk: str, what: str) -> StateCorrupt:
        return self._table.corrupt(pk, sk, what, self._recovery[pk])


def _anchor_key(site: str, chain: str) -> str:
    return f"{SITE}{site}#{chain}"


def _there(refused: ConditionFailed, position: int) -> Item:
    """The item in the way of a write that may only meet an item: DynamoDB always hands it out."""
    item = refused.items[position]
    assert item is not None
    return item
