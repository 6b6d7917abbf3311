"""People who sign in with an identity provider see what their own token allows, and nobody else sees anything."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from tests.support.browsing import Visit, browsing, page_server, visits
from tests.support.controllers import Metro, metro, site
from tests.support.serving import free_port, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("joserfc", reason="no authlib here: it comes with the demo extra")

from tests.support.identity_provider import CLIENT, SECRET, IdentityProvider

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

OPERATOR = "act"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()
    with served(provider.app()) as url:
        provider.url = url
        yield provider


@pytest.fixture(scope="module")
def page_url(provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("page"), free_port()
    configure(folder, provider, port)
    group = Metro(metro(site("site-a"), site("site-b")))
    group.rounds(2)
    rules = AccessRules({Role.OPERATOR: OPERATOR}, "between-sites")
    with (
        served(controller_app(lambda: group.controllers["site-a"], lambda: rules)) as fleet_url,
        page_server(folder, fleet_url, None, folder / "people.json", port) as (url, _),
    ):
        yield url


@pytest.fixture(scope="module")
def browser(page_url: str) -> Iterator["Browser"]:
    """After the page: its fleet needs this thread's event loop for itself, and so does Playwright."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., Visit]]:
    with visits(browser) as open_tab:
        yield open_tab


def configure(folder: Path, provider: IdentityProvider, port: int) -> None:
    """As docs/dashboard.md tells."""
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{"x" * 40}"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
    )
    (folder / "operator.token").write_text(OPERATOR)
    people = dict.fromkeys(("alice@example.org", f"{provider.url}#person-2"), "operator.token")
    (folder / "people.json").write_text(json.dumps(people))


def sign_in(tab: Visit) -> None:
    tab.page.get_by_text("Nobody is signed in").wait_for()
    tab.page.get_by_role("button", name="Sign in", exact=True).click()
    tab.page.get_by_role("button", name="Sign in with your organisation").click()


def test_a_known_person_sees_the_fleet_after_signing_in_and_nothing_before(
    visit: Callable[..., Visit], page_url: str, provider: IdentityProvider
) -> None:
    provider.claims = {"email": "Alice@example.org", "email_verified": True}
    tab = visit(page_url)
    sign_in(tab)
    tab.page.get_by_text("All 2 sites are in service").wait_for()


def test_a_person_may_be_known_by_what_the_provider_calls_them(
    visit: Callable[..., Visit], page_url: str, provider: IdentityProvider
) -> None:
    provider.claims = {"sub": "person-2", "email": "bob@example.org"}
    tab = visit(page_url)
    sign_in(tab)
    tab.page.get_by_text("All 2 sites are in service").wait_for()


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "mallory@example.org", "email_verified": True}, "You are not known to this fleet"),
        ({"email": "alice@example.org", "email_verified": False}, "vouches for no address"),
        ({"email": "alice@example.org", "email_verified": "false"}, "vouches for no address"),
        ({"email": "alice@example.org"}, "vouches for no address"),
    ],
)
def test_who_is_not_known_or_not_proven_sees_nothing(
    visit: Callable[..., Visit], page_url: str, provider: IdentityProvider, claims: dict[str, object], said: str
) -> None:
    provider.claims = claims
    tab = visit(page_url)
    sign_in(tab)
    tab.page.wait_for_url(page_url + "/**")
    tab.page.get_by_text(said).wait_for()
    assert tab.page.get_by_text("sites are in service").count() == 0
