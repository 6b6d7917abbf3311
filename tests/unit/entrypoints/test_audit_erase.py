"""`edgemind audit erase`: at every site that can be reached, by an admin, leaving no trace of who it was."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from edgemind.adapters.audit_journal import segments
from edgemind.domain.audit.chain import RecordDamaged
from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.audit_routes import AuditRoutes
from edgemind.entrypoints.fleet_client import TIMEOUT_S
from edgemind.errors import PermanentError, StoreUnavailable
from tests.support.audit_journals import decision
from tests.support.controllers import Metro, metro, site
from tests.support.gateway_process import eventually
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
    # It is kept with its outcome, so after the answer.
    eventually("the action is kept", lambda: "action" in journal.entries[-1].body)
    told = journal.entries[-1].body
    assert (told["action"], told["by"], told["body"]) == ("POST /audit/erase", "fleet.tokens.admin", "(not told)")


def test_what_names_no_subject_is_wrong_usage(fleet: tuple[Metro, str]) -> None:
    assert erase(fleet[1], "acme").exit_code == 2


class Recorded(HTTPConnection):
    timeouts: ClassVar[list[float]] = []

    def request(self, *arguments: Any, **more: Any) -> None:
        self.timeouts.append(self.timeout or 0.0)
        super().request(*arguments, **more)


def test_an_erasure_is_waited_for_longer_than_a_controller_waits_for_its_journal(
    fleet: tuple[Metro, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Recorded.timeouts.clear()
    monkeypatch.setattr("edgemind.entrypoints.fleet_client.HTTPConnection", Recorded)
    assert erase(fleet[1], "tenant:acme").exit_code == 0
    assert Recorded.timeouts[0] == TIMEOUT_S
    assert Recorded.timeouts[-1] > segments.ERASE_TIMEOUT_S


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (StoreUnavailable("the disk is full"), "not finished, and some of it may be erased: the disk is full"),
        (RecordDamaged("it is no record"), "nothing was erased, for the journal is damaged: it is no record"),
        (PermanentError("site-a.aside-1 is damaged"), "not everything was erased: site-a.aside-1 is damaged"),
    ],
)
def test_an_erasure_that_did_not_go_to_its_end_is_told_as_such(
    fleet: tuple[Metro, str], monkeypatch: pytest.MonkeyPatch, trouble: Exception, told: str
) -> None:
    group, url = fleet

    def refused(*_: object) -> int:
        raise trouble

    monkeypatch.setattr(group.audits["site-a"], "erase", refused)
    answer = erase(url, "tenant:acme")
    assert answer.exit_code == 1
    (site_told,) = json.loads(answer.stdout)["sites"]
    assert site_told["error"].startswith(told)
    assert "not finished at site-a: do it again" in answer.stderr
