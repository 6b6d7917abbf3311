import pytest

from edgemind.entrypoints.controller.access import AccessRules, Caller, Credentials, Role
from edgemind.entrypoints.controller.answers import ApiRefusal

TOKENS = {Role.VIEWER: "look", Role.OPERATOR: "act", Role.ADMIN: "rule"}


def shown(
    authorization: str | None = None,
    site_token: str | None = None,
    client: str | None = "127.0.0.1",
    host: str | None = "127.0.0.1:8200",
    forwarded: bool = False,
) -> Credentials:
    return Credentials(authorization, site_token, client, host, forwarded)


@pytest.mark.parametrize(("token", "role"), [("look", Role.VIEWER), ("act", Role.OPERATOR), ("rule", Role.ADMIN)])
def test_each_token_has_its_role_and_those_below(token: str, role: Role) -> None:
    rules = AccessRules(TOKENS, "between-sites")
    for least in Role:
        if least <= role:
            assert rules.allowed(shown(f"Bearer {token}"), least) == Caller(role)
        else:
            with pytest.raises(ApiRefusal) as refused:
                rules.allowed(shown(f"Bearer {token}"), least)
            assert (refused.value.status, refused.value.code) == (403, "role_too_low")
            assert f"send the {least.name.lower()} token" in refused.value.message


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "Bearer ", "Bearer", "look", "Basic look", "Bearer looks", "bearer l\udcffok"]
)
def test_anything_else_is_nobody(authorization: str) -> None:
    with pytest.raises(ApiRefusal) as refused:
        AccessRules(TOKENS, None).allowed(shown(authorization), Role.VIEWER)
    assert (refused.value.status, refused.value.code) == (401, "invalid_token")


def test_with_tokens_configured_being_local_is_not_enough() -> None:
    with pytest.raises(ApiRefusal) as refused:
        AccessRules(TOKENS, None).allowed(shown(), Role.VIEWER)
    assert (refused.value.status, refused.value.code) == (401, "missing_token")
    assert "fleet.tokens" in refused.value.message


@pytest.mark.parametrize(
    ("client", "host"),
    [("127.0.0.1", "127.0.0.1:8200"), ("::1", "[::1]:8200"), ("127.0.0.1", "localhost:82"), ("127.9.9.9", "localhost")],
)
def test_without_tokens_the_own_machine_may_look(client: str, host: str) -> None:
    rules = AccessRules({}, "between-sites")
    assert rules.allowed(shown(client=client, host=host), Role.VIEWER) == Caller(Role.VIEWER)


def test_without_tokens_nobody_may_act() -> None:
    with pytest.raises(ApiRefusal) as refused:
        AccessRules({}, None).allowed(shown(), Role.OPERATOR)
    assert refused.value.status == 403
    assert "set fleet.tokens.operator" in refused.value.message


@pytest.mark.parametrize(
    "credentials",
    [
        shown(client="10.0.0.7"),
        shown(client=None),
        shown(client="not an address"),
        shown(host="evil.example:8200"),
        shown(host=None),
        shown(forwarded=True),
    ],
)
def test_without_tokens_anybody_from_elsewhere_is_refused(credentials: Credentials) -> None:
    with pytest.raises(ApiRefusal) as refused:
        AccessRules({}, None).allowed(credentials, Role.VIEWER)
    assert refused.value.status == 401


def test_the_site_token_makes_a_site() -> None:
    rules = AccessRules(TOKENS, "between-sites")
    assert rules.allowed(shown(site_token="between-sites", client="10.0.0.7"), Role.OPERATOR) == Caller(
        Role.OPERATOR, site=True
    )
    assert not rules.is_site("between-site")
    assert not rules.is_site(None)


def test_while_the_secret_is_changed_both_are_good_and_then_no_longer() -> None:
    rules = AccessRules(TOKENS, "next", ["between-sites"])
    assert rules.is_site("next")
    assert rules.is_site("between-sites")
    assert not AccessRules(TOKENS, "next").is_site("between-sites")


@pytest.mark.parametrize("token", ["", None, "anything"])
def test_without_a_secret_nobody_is_a_site(token: str | None) -> None:
    assert not AccessRules(TOKENS, None).is_site(token)
    assert not AccessRules(TOKENS, "").is_site(token)
