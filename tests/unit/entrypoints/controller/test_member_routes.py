"""Invitations, joining and removal over the API: who may, what is answered, and what is refused how."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.roster import Roster, RosterMember
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.member_routes import MetroDoor
from edgemind.ports.swarm_store import StoreUnavailable
from edgemind.services.metro_members import MetroMembers
from edgemind.settings import load_settings
from tests.support.asgi import AsgiAnswer, ask
from tests.support.clocks import ManualClock
from tests.support.controllers import Metro, metro, site
from tests.unit.settings_example import SECRETS, write_example

DECLARATION: dict[str, Any] = {
    "name": "site-n",
    "gateway": "http://n:8100",
    "controller": "http://n:8200",
    "models": [{"name": "llama", "base_url": "http://gpu9:8000/v1", "slots": 8, "service_ms": 300}],
}


class Store(MemorySwarmStore):
    away = False

    def read_roster(self) -> Roster:
        if self.away:
            raise StoreUnavailable("nobody answers: look at the store", 1.0)
        return super().read_roster()


@dataclass
class Api:
    app: Starlette
    swarm: Store

    def post(self, path: str, token: str = "rule", body: object = None) -> AsgiAnswer:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"content-type": "application/json"} if body is not None else {}
        raw = b"" if body is None else json.dumps(body).encode()
        return ask(self.app, "POST", f"/edgemind/v1{path}", headers, raw)

    def join(self, token: str, **changes: Any) -> AsgiAnswer:
        return self.post("/join", "", {"token": token, "declaration": {**DECLARATION, **changes}})

    def invite(self, name: str = "site-n") -> str:
        token: str = self.post(f"/sites/{name}/invite").json()["token"]
        return token


RULES = AccessRules({Role.OPERATOR: "act", Role.ADMIN: "rule"}, "between-sites")


@pytest.fixture
def api(tmp_path: Path) -> Api:
    group, swarm = Metro(metro(site("site-a"))), Store("demo")
    settings = load_settings(write_example(tmp_path), SECRETS)
    declared = [RosterMember("site-a", "http://127.0.0.1:8200")]
    count = iter(range(250))
    members = MetroMembers(
        (MemoryStateStore(), swarm),
        lambda: declared,
        ManualClock(),
        lambda size: bytes([next(count)]) * size,
        lambda _: None,
    )
    door = MetroDoor(members, lambda: settings)
    return Api(controller_app(lambda: group.controllers["site-a"], lambda: RULES, door), swarm)


def test_only_an_admin_invites_and_removes(api: Api) -> None:
    for path in ("/sites/site-n/invite", "/sites/site-a/remove"):
        refused = api.post(path, "act")
        assert (refused.status, refused.error()["code"]) == (403, "role_too_low")
        assert api.post(path, "").status == 401


def test_who_is_invited_joins_without_any_other_token_and_is_told_its_configuration(api: Api) -> None:
    invitation = api.post("/sites/site-n/invite?ttl_s=120").json()
    assert invitation["site"] == "site-n"
    assert invitation["expires_ms"] == ManualClock().wall_ms() + 120_000
    answer = api.join(invitation["token"])
    assert answer.status == 200, answer.json()
    told = answer.json()
    assert (told["metro"], told["version"], told["members"]) == ("demo", 1, ["site-a", "site-n"])
    assert [one["name"] for one in told["config"]["sites"]] == ["site-a", "site-b", "site-n"]
    assert told["config"]["fleet"] == {"secret": "file:fleet.secret"}
    assert api.join(invitation["token"]).json() == told

    removed = api.post("/sites/site-n/remove").json()
    assert removed == {"metro": "demo", "version": 2, "members": ["site-a"]}


def test_each_refusal_has_its_code_and_says_what_to_do(api: Api) -> None:
    token = api.invite()
    refusals = [
        (api.join("nonsense"), 403, "join_refused", "copy the whole of it"),
        (api.join(token, name="site-m"), 403, "join_refused", "not one for site-m"),
        (api.join(token, controller=None), 400, "invalid_declaration", "controller"),
        (api.post("/join", "", {"token": token}), 400, "invalid_parameter", "declaration"),
        (api.post("/join", "", {"token": "x" * 300, "declaration": {}}), 400, "invalid_parameter", "token"),
        (api.post("/sites/Site%20N/invite"), 400, "invalid_parameter", "name"),
        (api.post("/sites/site-n/invite?ttl_s=1"), 400, "invalid_parameter", "ttl_s"),
        (api.post("/sites/nobody/remove"), 409, "roster_unchanged", "nobody is no member; members are site-a"),
        (api.post("/sites/site-a/remove"), 409, "roster_unchanged", "the last member"),
    ]
    for answer, status, code, message in refusals:
        assert (answer.status, answer.error()["code"]) == (status, code), answer.json()
        assert message in answer.error()["message"]
    assert api.swarm.read_roster() == Roster()
    assert api.join(token).status == 200, "no refusal used it up"


def test_a_store_that_is_away_is_said_and_nothing_is_lost(api: Api) -> None:
    token = api.invite()
    api.swarm.away = True
    refused = api.join(token)
    assert (refused.status, refused.error()["code"]) == (503, "store_unavailable")
    api.swarm.away = False
    assert api.join(token).status == 200


def test_without_a_store_nobody_joins() -> None:
    group = Metro(metro(site("site-a")))
    api = Api(controller_app(lambda: group.controllers["site-a"], lambda: RULES), Store("none"))
    refused = api.post("/sites/site-n/invite")
    assert (refused.status, refused.error()["code"]) == (503, "no_store")
