import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.keys import ENTROPY_BYTES, ApiKey, IssuedKey, KeyRing, issue_key, live_key_ids, parse_key_id

KEY = "em_00010203_BAUGBwgJCgsMDQ4PEBESExQVFhcYGRob"
# printf %s KEY | sha256sum
DIGEST = "12a8b8b1ccb5a5817c3d30542f0bfc44946babbb3c22e2707cfd677c969274f5"


def issued(first_byte: int = 0, tenant: str = "demo") -> IssuedKey:
    return issue_key(tenant, bytes([first_byte, *range(1, ENTROPY_BYTES)]), created_ms=5)


def test_a_key_comes_from_the_given_entropy_alone() -> None:
    assert issued() == IssuedKey(KEY, ApiKey("00010203", "demo", DIGEST, created_ms=5, revoked_ms=None))


@given(st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES))
def test_every_entropy_gives_a_key_of_the_one_shape(entropy: bytes) -> None:
    key = issue_key("demo", entropy, created_ms=5)

    assert re.fullmatch(r"em_[0-9a-f]{8}_[A-Za-z0-9_-]{32}", key.secret)
    assert parse_key_id(key.secret) == key.stored.key_id == entropy[:4].hex()
    assert KeyRing([key.stored]).tenant_for(b"Bearer " + key.secret.encode()) == "demo"
    assert key.secret not in repr(key)


@pytest.mark.parametrize("size", [0, ENTROPY_BYTES - 1, ENTROPY_BYTES + 1])
def test_a_key_is_never_made_from_too_little(size: int) -> None:
    with pytest.raises(ValueError, match="28 random bytes"):
        issue_key("demo", bytes(size), created_ms=5)


@pytest.mark.parametrize("text", ["", "00010203", KEY[:-1], KEY + "A", KEY + "\n", KEY.upper(), "sk" + KEY[2:]])
def test_what_is_no_whole_key_has_no_id(text: str) -> None:
    assert parse_key_id(text) is None


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY} "])
def test_the_scheme_is_read_as_http_has_it(header: str) -> None:
    assert KeyRing([issued().stored]).tenant_for(header.encode()) == "demo"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        KEY.encode(),
        b"Basic " + KEY.encode(),
        b"Bearer" + KEY.encode(),
        b"Bearer " + KEY[:-1].encode(),
        b"Bearer " + KEY[:-1].encode() + b"X",
        b"Bearer " + KEY.encode() + b"\0",
        b"Bearer\t" + KEY.encode(),
        b"Bearer " + b"\xff" * 44,
        b"Bearer " + b"x" * 30_000,
    ],
)
def test_any_other_header_has_no_tenant(header: bytes) -> None:
    assert KeyRing([issued().stored]).tenant_for(header) is None


def test_a_ring_knows_every_live_key_and_no_revoked_one() -> None:
    old, new, other = issued(1), issued(2), issued(3, tenant="other")
    ring = KeyRing([replace(old.stored, revoked_ms=9), new.stored, other.stored])

    assert len(ring) == 2
    assert [ring.tenant_for(f"Bearer {key.secret}".encode()) for key in (old, new, other)] == [None, "demo", "other"]
    assert KeyRing().tenant_for(f"Bearer {new.secret}".encode()) is None


def test_live_keys_are_counted_per_tenant() -> None:
    keys = [
        replace(issued(1).stored, revoked_ms=9),
        issued(2).stored,
        issued(3).stored,
        issued(4, tenant="other").stored,
    ]

    assert live_key_ids(keys, "demo") == ("02010203", "03010203")
    assert live_key_ids(keys, "nobody") == ()
