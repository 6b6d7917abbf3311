"""`edgemind audit erase`: at every site that can be reached, by an admin, leaving no trace of who it was."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.audit_routes import AuditRoutes
from tests.support.audit_journals import decision
from tests.support.controllers import Metro, metro, site
from tests.support.serving import served


@pytest.fixture
def fleet() -> Iterator[tuple[Metro, str]]:
    group = Metro(metro(site("site-a")))
    rules = AccessRules({Role.OPERATOR: "act", Role.ADMIN: "rule"}, "between-sites")
    routes = [AuditRoutes(lambda: group.controllers["site-a"])]
    with served(controller_app(lambda: group.controllers["site-a"], lambda: rules, None, routes)) as url:
        yield group, url


def erase(url: str, subject: str, token: str = "rule") -> Result:
    flags = ["--subject", subject, "--fleet", url, "--token", token, "-o", "json"]
    return CliRunner().invoke(cli, ["audit", "erase", *flags])


def test_an_admin_erases_a_subject_and_the_action_does_not_name_it(fleet: tuple[Metro, str]) -> None:
    group, url = fleet
    journal = group.audits["site-a"]
    journal.record(decision(1, "tenant:acme"))
    journal.record(decision(2, "tenant:other"))
    assert erase(url, "tenant:acme", "act").exit_code == 1
    answer = erase(url, "tenant:acme")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["sites"] == [{"site": "site-a", "records": 1, "error": None}]
    subjects = [entry.subject for entry in journal.entries]
    assert subjects[:2] == [None, "tenant:other"]
    told = journal.entries[-1].body
    assert (told["action"], told["by"], told["body"]) == ("POST /audit/erase", "fleet.tokens.admin", "(not told)")


def test_what_names_no_subject_is_wrong_usage(fleet: tuple[Metro, str]) -> None:
    assert erase(fleet[1], "acme").exit_code == 2
