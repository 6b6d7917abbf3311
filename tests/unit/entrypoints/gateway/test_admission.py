from collections.abc import Callable
from functools import partial

import pytest

from edgemind.domain.fleet import DeviceClass, Tenant
from edgemind.domain.keys import ENTROPY_BYTES, IssuedKey, KeyRing, issue_key
from edgemind.domain.limits import Limits
from edgemind.domain.requests import Priority
from edgemind.domain.site_tokens import SiteTokens
from edgemind.entrypoints.gateway.admission import REMEMBERED_LIMIT, Admission, Admitted, constraints_of
from edgemind.entrypoints.gateway.refusals import Refusal
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import endpoint, fleet, head, router, site

DEMO = Tenant("demo", rate_per_s=10.0, burst=4.0)
NARROW = Tenant("narrow", models=("small-*",))
GERMAN = Tenant("german", residency=frozenset({"de", "at"}))
TOKEN = "token-between-sites"


def key(tenant: str) -> IssuedKey:
    return issue_key(tenant, tenant.encode().ljust(ENTROPY_BYTES, b"."), created_ms=0)


def bearer(tenant: str) -> str:
    return f"Bearer {key(tenant).secret}"


RING = KeyRing(key(tenant).stored for tenant in ("demo", "narrow", "german", "stranger"))


def admission(
    clock: ManualClock | None = None, *, auth: bool = True, token: str | None = TOKEN, workers: int = 1
) -> Admission:
    made = Admission(
        (DEMO, NARROW, GERMAN),
        Limits(),
        auth=auth,
        site_tokens=SiteTokens(token),
        workers=workers,
        monotonic_s=(clock or ManualClock()).monotonic_s,
    )
    made.use_keys(RING)
    return made


def refusal(work: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        work()
    return refused.value


# Who


def test_a_key_leads_to_its_tenant() -> None:
    assert admission().admit(head(authorization=bearer("narrow"))).caller.tenant is NARROW


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic abc", "Bearer em_00000000_" + "x" * 32])
def test_anything_else_is_401(authorization: str) -> None:
    assert refusal(lambda: admission().admit(head(authorization=authorization))).status == 401
    assert refusal(lambda: admission().admit(head())).status == 401


def test_a_key_of_a_tenant_that_is_no_longer_configured_is_401() -> None:
    assert refusal(lambda: admission().admit(head(authorization=bearer("stranger")))).status == 401


def test_without_authentication_everybody_is_one_open_tenant() -> None:
    caller = admission(auth=False).admit(head()).caller
    assert (caller.tenant.name, caller.bucket, caller.forwarded_by) == ("open", None, None)


def test_a_neighbour_needs_the_token_and_no_key() -> None:
    admitted = admission().admit(head(x_edgemind_site_token=TOKEN, x_edgemind_forwarded_by="site-b"))
    assert admitted.caller.forwarded_by == "site-b"
    assert constraints_of(admitted, "m").local_only
    for wrong in ("", "x", TOKEN + "x"):
        assert refusal(partial(admission().admit, head(x_edgemind_site_token=wrong))).status == 401


def test_while_the_secret_is_changed_neighbours_with_either_are_known() -> None:
    made = Admission(
        (), Limits(), auth=True, site_tokens=SiteTokens("next", [TOKEN]), workers=1,
        monotonic_s=ManualClock().monotonic_s,
    )  # fmt: skip
    for sent in ("next", TOKEN):
        assert made.admit(head(x_edgemind_site_token=sent, x_edgemind_forwarded_by="site-b")).caller.forwarded_by
    assert refusal(partial(made.admit, head(x_edgemind_site_token="other"))).status == 401


def test_without_a_fleet_secret_there_are_no_neighbours() -> None:
    for sent in ("", "None", "anything"):
        assert refusal(partial(admission(token=None).admit, head(x_edgemind_site_token=sent))).status == 401


def test_forwarded_by_alone_is_an_ordinary_request() -> None:
    admitted = admission().admit(head(authorization=bearer("demo"), x_edgemind_forwarded_by="site-b"))
    assert admitted.caller.forwarded_by is None
    assert not constraints_of(admitted, "m").local_only


def test_a_revoked_key_ends_with_the_next_ring_even_for_a_head_seen_before() -> None:
    made, same = admission(), head(authorization=bearer("demo"))
    assert made.admit(same) is made.admit(same), "one parse per head and epoch"
    made.use_keys(KeyRing([key("narrow").stored]))
    assert refusal(lambda: made.admit(same)).status == 401


def test_a_head_seen_before_a_reload_is_looked_at_anew() -> None:
    same = head(authorization=bearer("demo"))
    before = admission().admit(same)
    assert admission().admit(same) is not before


def test_what_is_remembered_is_bounded_in_number_and_length() -> None:
    made = admission()
    for padding in range(REMEMBERED_LIMIT + 100):
        made.admit(head(authorization=f"Bearer{' ' * (1 + padding % 2000)}{key('demo').secret}"))
    assert len(made._remembered) <= REMEMBERED_LIMIT
    assert sum(map(len, made._remembered)) < 100_000


# How fast


def test_over_the_rate_it_is_429_and_says_when_to_come_back() -> None:
    clock = ManualClock()
    made = admission(clock)
    caller = made.admit(head(authorization=bearer("demo"))).caller
    for _ in range(4):
        made.charge(caller)
    refused = refusal(lambda: made.charge(caller))
    assert (refused.status, refused.retry_after_s) == (429, 1)
    assert dict(refused.headers)[b"x-ratelimit-limit-requests"] == b"4"
    clock.advance(0.125)
    made.charge(caller)


def test_each_worker_grants_its_share() -> None:
    made = admission(workers=2)
    caller = made.admit(head(authorization=bearer("demo"))).caller
    made.charge(caller)
    made.charge(caller)
    assert refusal(lambda: made.charge(caller)).status == 429
    assert caller.bucket is not None
    assert caller.bucket.rate_per_s == 5.0


def test_shares_follow_the_number_of_workers() -> None:
    made = admission(workers=1)
    caller = made.admit(head(authorization=bearer("demo"))).caller
    made.share_among(2)
    made.charge(caller)
    made.charge(caller)
    assert refusal(lambda: made.charge(caller)).status == 429
    assert caller.bucket is not None
    made.share_among(1)
    assert (caller.bucket.rate_per_s, caller.bucket.burst) == (10.0, 4.0)
    assert refusal(lambda: made.charge(caller)).status == 429, "an empty bucket stays empty"


def test_a_share_is_never_less_than_one_request() -> None:
    made = admission(workers=64)
    caller = made.admit(head(authorization=bearer("demo"))).caller
    made.charge(caller)
    assert refusal(lambda: made.charge(caller)).status == 429


def test_neighbours_and_open_callers_are_not_charged() -> None:
    for made, sent in ((admission(), head(x_edgemind_site_token=TOKEN)), (admission(auth=False), head())):
        for _ in range(1000):
            made.charge(made.admit(sent).caller)


def test_a_reload_inherits_buckets_of_tenants_whose_rate_is_the_same() -> None:
    before, after = admission(), admission()
    caller = before.admit(head(authorization=bearer("demo"))).caller
    for _ in range(4):
        before.charge(caller)
    after.inherit(before)
    assert refusal(lambda: after.charge(after.admit(head(authorization=bearer("demo"))).caller)).status == 429


# What


def test_models_are_looked_up_then_rights() -> None:
    of = router(fleet(site("site-a", endpoint("small-1"), endpoint("small-2"), endpoint("large"))))
    made = admission()
    narrow = made.admit(head(authorization=bearer("narrow"))).caller
    made.authorize(narrow, "small-1", of)
    assert refusal(lambda: made.authorize(narrow, "large", of)).status == 403
    unknown = refusal(lambda: made.authorize(narrow, "smal-1", of))
    assert (unknown.status, unknown.param) == (404, "model")
    assert "'small-1', 'small-2'" in unknown.message or "'small-2', 'small-1'" in unknown.message
    assert "large" not in unknown.message
    assert "small" in refusal(lambda: made.authorize(narrow, "x" * 5000, of)).message
    assert len(refusal(lambda: made.authorize(narrow, "x" * 5000, of)).message) < 400


# Headers


def admitted(**headers: str) -> Admitted:
    return admission().admit(head(authorization=bearer("demo"), **headers))


def test_headers_are_read_into_constraints_and_demand() -> None:
    got = admitted(
        x_edgemind_deadline_ms="250.5",
        x_edgemind_priority="High",
        x_edgemind_device_class="xr",
        x_edgemind_residency=" de ,fr_1",
        x_edgemind_session="s",
        x_session_id="t",
    )
    assert (got.demand.deadline_ms, got.demand.priority, got.session) == (250.5, Priority.HIGH, b"s")
    constraints = constraints_of(got, "m")
    assert (constraints.residency, constraints.device_class) == (frozenset({"de", "fr_1"}), DeviceClass.XR)
    assert constraints_of(got, "m") is constraints


def test_without_headers_there_are_defaults() -> None:
    got = admitted()
    assert (got.demand.deadline_ms, got.demand.priority, got.session) == (30_000.0, Priority.NORMAL, None)
    assert (got.residency, got.device_class, got.json_length) == (frozenset(), None, None)
    assert admitted(x_session_id="t").session == b"t"


@pytest.mark.parametrize("deadline", ["", "x", "nan", "-inf", "inf", "0", "-1", "1e300", "600000.1"])
def test_absurd_deadlines_are_400(deadline: str) -> None:
    refused = refusal(lambda: admitted(x_edgemind_deadline_ms=deadline))
    assert (refused.status, refused.param) == (400, "x-edgemind-deadline-ms")


def test_a_tenants_zones_bound_what_a_request_may_ask() -> None:
    made = admission()
    german = bearer("german")
    assert made.admit(head(authorization=german)).residency == {"de", "at"}
    assert made.admit(head(authorization=german, x_edgemind_residency="de,fr")).residency == {"de"}
    refused = refusal(lambda: made.admit(head(authorization=german, x_edgemind_residency="fr")))
    assert (refused.status, refused.code, refused.retry_helps) == (403, "residency_unsatisfiable", False)
    assert "at, de" in refused.message
