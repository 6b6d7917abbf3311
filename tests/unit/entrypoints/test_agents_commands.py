"""`edgemind agents`: a page, a tap, and strings that would like to be something else."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from edgemind.domain.swarm.votes import ToolCall
from edgemind.entrypoints import agents_commands
from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.printable import printable
from tests.support.controllers import Metro
from tests.support.mcp_sessions import served_application, telling_metro
from tests.support.serving import served

GOOD = ToolCall("load_balancer", "metrics_monitor.get_fleet_metrics", {"model": "llm"}, {"loads": {}}, 1.25)

RED = "no\r\nError: all is \x1b[31mlost"
HOSTILE = ToolCall("load_balancer", "\x1b]0;owned\x07tool", {"\x1b[2J": "\u202e"}, None, 2.0, RED)


@pytest.fixture(scope="module")
def group() -> Metro:
    return telling_metro()


@pytest.fixture(scope="module")
def url(group: Metro) -> Iterator[str]:
    with served(served_application(group)) as address:
        yield address


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["agents", *arguments, "--fleet", url, "--token", "look"])


def test_before_any_call_it_says_what_to_do(url: str) -> None:
    ended = run(url, "list")
    assert (ended.exit_code, "--voter strands" in ended.output) == (0, True), ended.output


def test_calls_are_listed_and_hostile_strings_shown_escaped(group: Metro, url: str) -> None:
    log = group.controllers["site-b"].agent_calls
    log.note(GOOD, "1.17")
    log.note(HOSTILE, "1.18")
    ended = run(url, "list")
    assert ended.exit_code == 0, ended.output
    assert all(one.isprintable() for one in ended.output.replace("\n", ""))
    head, *lines = ended.output.splitlines()
    assert head.split()[:4] == ["TIME", "SITE", "ROLE", "TOOL"]
    assert "\\x1b]0;owned\\x07tool" in lines[0]
    assert "failed: no\\r\\nError: all is \\x1b[31mlost" in lines[0]
    assert [word in lines[1] for word in ("site-b", "load_balancer", "1.17", '{"model": "llm"}')] == [True] * 4
    only = json.loads(run(url, "list", "--round", "1.17", "-o", "json").output)
    assert [call["tool"] for call in only["calls"]] == [GOOD.tool]
    assert run(url, "list", "--round", "17").exit_code == 1
    page = json.loads(run(url, "list", "--limit", "1", "-o", "json").output)
    assert (
        json.loads(run(url, "list", "--cursor", page["next_cursor"], "-o", "json").output)["calls"][0]["fence"]
        == "1.17"
    )
    assert run(url, "list", "--cursor", "nonsense").exit_code == 1


def test_a_tap_follows_what_is_new(group: Metro, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = group.controllers["site-a"].agent_calls

    def two_more(_seconds: float) -> None:
        log.note(GOOD, "2.1")
        log.note(HOSTILE, "2.2")

    monkeypatch.setattr(agents_commands, "sleep", two_more)
    ended = run(url, "tap", "--count", "2", "-o", "json")
    assert [json.loads(line)["fence"] for line in ended.output.splitlines()] == ["2.1", "2.2"]
    ended = run(url, "tap", "--count", "2")
    assert len(ended.output.splitlines()) == 3
    assert all(one.isprintable() for one in ended.output.replace("\n", ""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("späť 4 %", "späť 4 %"), ("a\nb\t", "a\\nb\\t"), ("\u202egnp.exe", "\\u202egnp.exe"), ("\x9b2J", "\\x9b2J")],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_is_too_long_ends_with_dots() -> None:
    assert printable("x" * 100, 10) == "xxxxxx ..."
