"""What every state store promises, whatever it is made of: one suite, run over each adapter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.domain.join_tokens import JoinRefused
from edgemind.errors import PermanentError, StoreUnavailable
from edgemind.ports.state_store import ApiKey, Checkpoint, JoinToken, SiteRegistration, StateStore
from tests.support.dynamodb_stores import dynamodb_store
from tests.support.engines.aws import LocalAws

ADAPTERS: dict[str, Callable[[Path], StateStore]] = {
    "memory": lambda _: MemoryStateStore(),
    "json_file": lambda directory: JsonFileStateStore(directory / "state", lock_timeout_s=30.0),
}
ENGINES = {"dynamodb_local": [pytest.mark.engine], "ministack": [pytest.mark.engine, pytest.mark.slow]}
"""One of the two is enough for everybody; both are for `./run ci`."""
STORES = [*ADAPTERS, *(pytest.param(engine, marks=marks) for engine, marks in ENGINES.items())]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StateStore:
    if request.param in ADAPTERS:
        return ADAPTERS[request.param](tmp_path)
    engine: LocalAws = request.getfixturevalue(request.param)
    return dynamodb_store(engine, engine.new_table())


def registration(site: str = "site-a", incarnation: int = 7, heartbeat_ms: int = 1_000) -> SiteRegistration:
    return SiteRegistration(site, incarnation, f"http://{site}:8200", None, heartbeat_ms, "0.1.0")


def key(key_id: str, tenant: str = "demo", created_ms: int = 1_000) -> ApiKey:
    return ApiKey(key_id, tenant, sha256(key_id.encode()).hexdigest(), created_ms)


def test_a_new_store_is_empty(store: StateStore) -> None:
    assert store.list_registrations() == []
    assert store.list_keys() == []
    assert store.keys_version() == store.keys_version()


def test_registrations_come_back_as_they_were_by_name(store: StateStore) -> None:
    with_gateway = replace(registration("site-a"), gateway_url="http://site-a:8100")
    store.put_registration(registration("site-b"))
    store.put_registration(with_gateway)

    assert store.list_registrations() == [with_gateway, registration("site-b")]


def test_a_heartbeat_replaces_the_one_before(store: StateStore) -> None:
    store.put_registration(registration(heartbeat_ms=1_000))
    store.put_registration(registration(heartbeat_ms=2_000))
    store.put_registration(registration(heartbeat_ms=2_000))

    assert store.list_registrations() == [registration(heartbeat_ms=2_000)]


def test_an_older_incarnation_cannot_undo_its_successor(store: StateStore) -> None:
    store.put_registration(registration(incarnation=8))

    with pytest.raises(PermanentError, match=r"site-a.*stop one"):
        store.put_registration(registration(incarnation=7, heartbeat_ms=9_000))

    assert store.list_registrations() == [registration(incarnation=8)]


def test_a_site_can_be_forgotten_more_than_once(store: StateStore) -> None:
    store.put_registration(registration())
    store.remove_registration("site-a")
    store.remove_registration("site-a")

    assert store.list_registrations() == []


def test_drains_are_kept_until_they_are_over(store: StateStore) -> None:
    assert store.drained_sites() == {}
    store.set_drain("site-b", 2_000)
    store.set_drain("site-a", 1_000)
    store.set_drain("site-a", 1_500)
    store.set_drain("site-c", None)
    assert store.drained_sites() == {"site-a": 1_500, "site-b": 2_000}

    store.remove_registration("site-a")
    store.set_drain("site-b", None)
    store.set_drain("site-b", None)
    assert store.drained_sites() == {"site-a": 1_500}, "a site that left the registry for an upgrade stays drained"


def test_keys_are_listed_by_creation_with_the_revoked_ones(store: StateStore) -> None:
    store.add_key(key("00000002", created_ms=2_000), live_limit=2)
    store.add_key(key("00000001", created_ms=3_000), live_limit=2)
    store.revoke_key("00000002", revoked_ms=4_000)

    assert [(entry.key_id, entry.revoked_ms) for entry in store.list_keys()] == [
        ("00000002", 4_000),
        ("00000001", None),
    ]


def test_a_third_live_key_is_refused_until_one_is_revoked(store: StateStore) -> None:
    store.add_key(key("00000001"), live_limit=2)
    store.add_key(key("00000002"), live_limit=2)
    store.add_key(key("0000000a", tenant="other"), live_limit=2)

    with pytest.raises(PermanentError, match=r"00000001, 00000002.*Revoke one"):
        store.add_key(key("00000003"), live_limit=2)
    assert len(store.list_keys()) == 3

    store.revoke_key("00000001", revoked_ms=2_000)
    store.add_key(key("00000003"), live_limit=2)


def test_the_first_revocation_stands(store: StateStore) -> None:
    store.add_key(key("00000001"), live_limit=2)

    assert store.revoke_key("00000001", revoked_ms=2_000).revoked_ms == 2_000
    assert store.revoke_key("00000001", revoked_ms=9_000).revoked_ms == 2_000
    assert store.list_keys()[0].revoked_ms == 2_000


def test_revoking_a_key_that_never_was_is_refused(store: StateStore) -> None:
    with pytest.raises(PermanentError, match="no key ffffffff"):
        store.revoke_key("ffffffff", revoked_ms=1)
    assert store.list_keys() == []


def test_adding_the_same_key_again_is_fine_and_does_not_revive_it(store: StateStore) -> None:
    store.add_key(key("00000001"), live_limit=1)
    store.add_key(key("00000001"), live_limit=1)
    store.revoke_key("00000001", revoked_ms=2_000)
    store.add_key(key("00000001"), live_limit=1)

    assert [entry.revoked_ms for entry in store.list_keys()] == [2_000]


def test_another_key_cannot_take_an_id_in_use(store: StateStore) -> None:
    store.add_key(key("00000001"), live_limit=2)

    with pytest.raises(StoreUnavailable, match="already taken"):
        store.add_key(key("00000001", tenant="other"), live_limit=2)

    assert store.list_keys() == [key("00000001")]


def test_the_version_changes_with_every_change_of_the_keys_and_with_nothing_else(store: StateStore) -> None:
    versions = [store.keys_version()]
    store.add_key(key("00000001"), live_limit=2)
    versions.append(store.keys_version())
    store.add_key(key("00000002"), live_limit=2)
    versions.append(store.keys_version())
    store.revoke_key("00000001", revoked_ms=2_000)
    versions.append(store.keys_version())
    assert len(set(versions)) == 4

    store.revoke_key("00000001", revoked_ms=3_000)
    store.add_key(key("00000002"), live_limit=2)
    store.put_registration(registration())
    with pytest.raises(PermanentError):
        store.revoke_key("ffffffff", revoked_ms=1)
    assert store.keys_version() == versions[-1]


def test_threads_cannot_pass_the_limit_together(store: StateStore) -> None:
    def attempt(number: int) -> bool:
        try:
            store.add_key(key(f"{number:08x}"), live_limit=2)
        except PermanentError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(attempt, range(24)))

    assert sum(stored) == 2
    assert len(store.list_keys()) == 2


# Join tokens


def join_token(secret: str = "one", by: str | None = None, site: str = "site-d", expires_ms: int = 10_000) -> JoinToken:
    digests = [None if text is None else sha256(text.encode()).hexdigest() for text in (secret, by)]
    assert digests[0] is not None
    return JoinToken(site, digests[0], expires_ms, digests[1])


def test_a_join_token_lets_one_declaration_in_however_often_it_is_sent(store: StateStore) -> None:
    store.put_join_token(join_token())
    for now_ms in (1_000, 2_000):
        store.use_join_token(join_token(by="declaration"), now_ms)
    with pytest.raises(JoinRefused, match="used already, with another declaration of site-d"):
        store.use_join_token(join_token(by="another"), 2_000)
    store.use_join_token(join_token(by="declaration"), 9_999)


@pytest.mark.parametrize(
    ("presented", "now_ms", "complaint"),
    [
        (join_token("two", "declaration"), 1_000, "not one for site-d.*sites invite site-d"),
        (join_token("one", "declaration", site="site-e"), 1_000, "not one for site-e"),
        (join_token("one", "declaration"), 10_000, "has expired; ask for a new one"),
    ],
)
def test_a_token_that_lets_nobody_in_says_why_and_is_not_used_up(
    store: StateStore, presented: JoinToken, now_ms: int, complaint: str
) -> None:
    store.put_join_token(join_token())
    for _ in range(2):
        with pytest.raises(JoinRefused, match=complaint):
            store.use_join_token(presented, now_ms)
    store.use_join_token(join_token(by="the right one"), 1_000)


def test_a_new_invitation_replaces_the_one_before_and_a_site_that_left_needs_one(store: StateStore) -> None:
    store.put_join_token(join_token("one"))
    store.put_join_token(join_token("two"))
    with pytest.raises(JoinRefused, match="not one for"):
        store.use_join_token(join_token("one", "declaration"), 1_000)
    store.use_join_token(join_token("two", "declaration"), 1_000)
    for _ in range(2):
        store.remove_join_token("site-d")
    with pytest.raises(JoinRefused, match="not one for"):
        store.use_join_token(join_token("two", "declaration"), 1_000)


def test_of_many_declarations_with_one_token_one_gets_in(store: StateStore) -> None:
    store.put_join_token(join_token())

    def use(number: int) -> bool:
        try:
            store.use_join_token(join_token(by=f"declaration {number}"), 1_000)
        except JoinRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(16))) == 1


def anchor(records: int, site: str = "site-a", chain: str = "c0ffee", head: str = "") -> Checkpoint:
    return Checkpoint(
        site, chain, records, sha256(f"{records}{head}".encode()).hexdigest(), 1_000 + records, signature="k:mac"
    )


def test_anchors_are_kept_by_site_and_chain_and_never_go_back(store: StateStore) -> None:
    assert store.audit_anchors() == []
    for told in (anchor(5), anchor(5), anchor(9), anchor(1, "site-b"), anchor(2, chain="another")):
        store.put_audit_anchor(told)
    assert store.audit_anchors() == [anchor(2, chain="another"), anchor(9), anchor(1, "site-b")]
    for back in (anchor(8), anchor(9, head="rewritten")):
        with pytest.raises(PermanentError, match="was anchored with 9 records"):
            store.put_audit_anchor(back)
    for _ in range(2):
        store.remove_audit_anchor("site-a", "c0ffee")
    assert store.audit_anchors() == [anchor(2, chain="another"), anchor(1, "site-b")]
