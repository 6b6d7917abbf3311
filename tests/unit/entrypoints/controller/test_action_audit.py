"""Whatever the fleet API is asked to change is kept: by whom, and what came of it, and no token."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette

from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from tests.support.asgi import ask
from tests.support.controllers import Metro, metro, report, site

RULES = AccessRules({Role.VIEWER: "look", Role.OPERATOR: "act", Role.ADMIN: "rule"}, "between-sites")


@pytest.fixture
def group() -> Metro:
    made = Metro(metro(site("site-a"), site("site-b")))
    for name, controller in made.controllers.items():
        controller.gateways.answer(report(name))
    made.rounds(2)
    return made


def post(group: Metro, path: str, headers: Mapping[str, str], body: object = None) -> int:
    app: Starlette = controller_app(lambda: group.controllers["site-a"], lambda: RULES)
    raw = b"" if body is None else json.dumps(body).encode()
    content = {} if body is None else {"content-type": "application/json"}
    return ask(app, "POST", f"/edgemind/v1{path}", {**headers, **content}, raw).status


def kept(group: Metro, name: str = "site-a") -> list[dict[str, Any]]:
    entries: list[AuditEntry] = list(group.audits[name].entries)
    assert all(entry.kind is EntryKind.ADMIN_ACTION for entry in entries)
    assert "act" not in [value for entry in entries for value in map(str, entry.body.values())]
    return [dict(entry.body) for entry in entries]


def test_who_drained_a_site_is_kept(group: Metro) -> None:
    assert post(group, "/sites/site-a/drain", {"authorization": "Bearer act"}) == 200
    assert post(group, "/sites/site-a/undrain", {"x-edgemind-site-token": "between-sites"}) == 200
    first, second = kept(group)
    assert first == {
        "action": "POST /sites/site-a/drain", "role": "operator", "by": "fleet.tokens.operator", "outcome": "done",
    }  # fmt: skip
    assert (second["role"], second["by"]) == ("site", "another controller of the fleet")


def test_what_was_refused_is_kept_as_refused(group: Metro) -> None:
    assert post(group, "/sites/nowhere/drain", {"authorization": "Bearer rule"}) == 404
    assert post(group, "/rounds", {"authorization": "Bearer act"}, {"model": "m"}) >= 400
    drained, forced = kept(group)
    assert (drained["outcome"], drained["by"]) == ("refused: site_not_found", "fleet.tokens.admin")
    assert forced["body"] == {"model": "m"}
    assert forced["outcome"].startswith("refused: ")


def test_reads_and_strangers_leave_nothing(group: Metro) -> None:
    assert post(group, "/sites/site-a/drain", {}) == 401
    assert post(group, "/sites/site-a/drain", {"authorization": "Bearer look"}) == 403
    assert kept(group) == []


def test_a_join_is_kept_without_its_token(group: Metro) -> None:
    assert post(group, "/join", {}, {"token": "ej_secret", "declaration": {"name": "site-d"}}) == 503
    (entry,) = kept(group)
    assert (entry["body"], entry["by"], entry["outcome"]) == ({"site": "site-d"}, "a join token", "refused: no_store")
    assert "ej_secret" not in repr(entry)
