"""The fleet's commands against a served fleet API: answers, forms, where the fleet is found, exit codes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.entrypoints import fleet_commands
from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.serving import free_port, served

DECISION = "dec-site-a-0-0123456789abcdef"
EXAMPLE = json.loads((Path(__file__).parents[1] / "support" / "explanation.json").read_text(encoding="utf-8"))


@dataclass
class Shell:
    """Runs commands in an empty folder with an empty environment, but for what a test sets."""

    group: Metro
    url: str
    environment: dict[str, str | None]

    def run(self, *arguments: str, fleet: bool = True, token: str = "look") -> Result:
        where = ["--fleet", self.url, "--token", token] if fleet else []
        return CliRunner().invoke(cli, [*arguments, *where], env=self.environment)

    def json(self, *arguments: str) -> Any:
        answer = self.run(*arguments, "-o", "json")
        assert (answer.exit_code, answer.stderr) == (0, "")
        return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Metro, str]]:
    group = Metro(metro(site("site-a"), site("site-b"), site("theirs", controller=False)))
    shed = decision_document("dec-site-a-0-1", 5, site=None, status=503)
    made = [decision_document(DECISION, 1_767_225_600_123), shed]
    for name, controller in group.controllers.items():
        controller.gateways.answer(report(name, decisions=made if name == "site-a" else []))
    group.admins["site-a"].explanations[0, DECISION] = EXAMPLE
    group.rounds(2)
    rules = AccessRules({Role.VIEWER: "look", Role.OPERATOR: "act"}, "between-sites")
    with served(controller_app(lambda: group.controllers["site-a"], lambda: rules)) as url:
        yield group, url


@pytest.fixture
def shell(running: tuple[Metro, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(*running, {"EDGEMIND_FLEET_URL": None, "EDGEMIND_FLEET_TOKEN": None})


def test_sites_are_listed(shell: Shell) -> None:
    lines = shell.run("sites", "list").stdout.splitlines()
    assert lines[0] == "metro test, seen from site-a: 0 requests/s"
    states = {tuple(line.split()[:2]) for line in lines[3:]}
    assert states == {("site-a", "alive"), ("site-b", "alive"), ("theirs", "declared")}
    assert [one["name"] for one in shell.json("sites", "list")["sites"]] == ["site-a", "site-b", "theirs"]


def test_a_site_is_shown(shell: Shell) -> None:
    shown = shell.run("sites", "show", "site-a").stdout
    assert "state           alive" in shown
    assert "detector" in shown
    assert shell.run("sites", "show", "theirs").exit_code == 0
    assert shell.json("sites", "show", "site-b")["name"] == "site-b"


def test_models_are_listed_where_they_are_held(shell: Shell) -> None:
    lines = shell.run("models", "list").stdout.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["site-a", "site-b", "theirs"]


def test_decisions_are_listed_and_explained(shell: Shell) -> None:
    shown = shell.run("decisions", "list").stdout
    assert DECISION in shown
    assert "(nobody)" in shown
    assert "ran at site-b, because" in shell.run("decisions", "explain", DECISION).stdout
    assert shell.json("decisions", "explain", DECISION) == EXAMPLE
    page = shell.json("decisions", "list", "--limit", "1")
    assert [one["id"] for one in shell.json("decisions", "list", "--cursor", page["next_cursor"])["decisions"]] == [
        "dec-site-a-0-1"
    ]


def test_decisions_are_followed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    gateways = shell.group.controllers["site-a"].gateways
    made = iter(range(1, 9))

    def meanwhile(_: float) -> None:
        k = next(made)
        under_way = decision_document(f"dec-site-a-0-new{k}", 2_000_000_000_000 + k, status=0)
        over = decision_document(f"dec-site-a-0-new{k - 1}", 2_000_000_000_000 + k - 1)
        gateways.answer(report("site-a", decisions=[under_way, over] if k > 1 else [under_way]))

    monkeypatch.setattr(fleet_commands, "sleep", meanwhile)
    followed = shell.run("decisions", "tap", "--count", "3", "-o", "json")

    assert followed.exit_code == 0
    ids = [json.loads(line)["id"] for line in followed.stdout.splitlines()]
    assert ids == ["dec-site-a-0-new1", "dec-site-a-0-new2", "dec-site-a-0-new3"], "each once, when it is over"


def test_draining_needs_the_operator(shell: Shell) -> None:
    refused = shell.run("sites", "drain", "site-a")
    assert (refused.exit_code, refused.stderr) == (
        1, "Error: this needs the operator role and you are viewer: send the operator token\n"
    )  # fmt: skip
    assert "site-a drains" in shell.run("sites", "drain", "site-a", token="act").stdout
    assert shell.group.controllers["site-a"].own.drain_requested
    assert "back in service" in shell.run("sites", "undrain", "site-a", token="act").stdout
    assert not shell.group.controllers["site-a"].own.drain_requested


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sites", "show", "site-z"], 1),
        (["decisions", "explain", "nonsense"], 1),
        (["decisions", "list", "--limit", "0"], 2),
        (["decisions", "list", "--cursor", "x"], 1),
        (["sites", "show"], 2),
        (["sites", "dance"], 2),
    ],
)
def test_exit_codes_tell_whose_turn_it_is(shell: Shell, arguments: list[str], code: int) -> None:
    ended = shell.run(*arguments)
    assert ended.exit_code == code
    assert ended.stdout == ""
    assert ended.stderr


def test_a_wrong_token_is_refused_with_what_to_do(shell: Shell) -> None:
    refused = shell.run("sites", "list", token="wrong")
    assert refused.exit_code == 1
    assert "fleet.tokens" in refused.stderr


def test_a_fleet_that_is_not_there_is_code_three(shell: Shell) -> None:
    ended = CliRunner().invoke(cli, ["sites", "list", "--fleet", f"http://127.0.0.1:{free_port()}", "--token", "x"])
    assert ended.exit_code == 3
    assert "cannot be reached (connection refused)" in ended.stderr


def test_something_else_at_the_url_is_said_so(shell: Shell) -> None:
    async def hello(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    with served(hello) as url:
        ended = CliRunner().invoke(cli, ["sites", "list", "--fleet", url, "--token", "x"])
    assert (ended.exit_code, "not a fleet API" in ended.stderr) == (3, True)


@pytest.mark.parametrize("url", ["127.0.0.1:8200", "ftp://x", "http://", "http://x:port"])
def test_a_url_that_is_none_is_wrong_usage(shell: Shell, url: str) -> None:
    assert CliRunner().invoke(cli, ["sites", "list", "--fleet", url, "--token", "x"]).exit_code == 2


# Where the fleet is found


def test_without_any_hint_it_says_where_one_could_be(shell: Shell) -> None:
    ended = shell.run("sites", "list", fleet=False)
    assert ended.exit_code == 2
    assert "--fleet URL" in ended.stderr
    assert "edgemind demo" in ended.stderr


def test_the_flags_may_stand_before_the_command(shell: Shell) -> None:
    ended = CliRunner().invoke(cli, ["--fleet", shell.url, "--token", "look", "-o", "json", "models", "list"])
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["models"]


def test_the_environment_names_a_fleet(shell: Shell) -> None:
    shell.environment.update(EDGEMIND_FLEET_URL=shell.url, EDGEMIND_FLEET_TOKEN="look")
    assert shell.run("sites", "list", fleet=False).exit_code == 0


def test_the_demo_leaves_its_fleet_in_the_folder(shell: Shell) -> None:
    write_default(shell.url)
    assert shell.run("sites", "list", fleet=False).exit_code == 0


def test_a_token_is_not_sent_to_another_fleet(shell: Shell) -> None:
    write_default("http://127.0.0.1:9")
    ended = CliRunner().invoke(cli, ["sites", "list", "--fleet", shell.url], env=shell.environment)
    assert ended.exit_code == 1
    assert "Send `Authorization: Bearer TOKEN`" in ended.stderr


@pytest.mark.parametrize("content", ["{", "[]", '{"url": 5}'])
def test_a_damaged_default_is_said_so(shell: Shell, content: str) -> None:
    write_default("", content)
    ended = shell.run("sites", "list", fleet=False)
    assert ended.exit_code == 2
    assert "fleet.json" in ended.stderr


def write_default(url: str, content: str | None = None) -> None:
    Path(".edgemind").mkdir()
    Path(".edgemind/fleet.json").write_text(content or json.dumps({"url": url, "token": "look"}), encoding="utf-8")
