"""Every alert has its runbook, and what a runbook tells somebody to type at night exists."""

import re
from pathlib import Path

import click
import pytest

from edgemind.domain.alerts.rules import RULES
from edgemind.entrypoints.cli import COMMANDS, load_command

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PARTS = ("What it means", "How to see it", "Likely causes, the most likely first", "What to do", "It is over when")


def commands_in(text: str) -> set[tuple[str, ...]]:
    """The words of each command up to its flags and arguments."""
    lines = re.findall(r"`edgemind ([^`\n]+)`|^edgemind (.+)$", text, re.MULTILINE)
    return {tuple((quoted or typed).split()) for quoted, typed in lines}


def resolve(words: tuple[str, ...]) -> click.Command:
    command: click.Command = load_command(words[0], COMMANDS[words[0]])
    for word in words[1:]:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"edgemind {' '.join(words)}: there is no {word}"
        command = found
    return command


@pytest.mark.parametrize("name", sorted(RULES))
def test_an_alert_has_its_runbook_with_every_part(name: str) -> None:
    page = RUNBOOKS.parent / RULES[name].runbook
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(PARTS)
    assert f"Alert `{name}`." in text
    assert commands_in(text)


def test_there_is_no_runbook_of_an_alert_that_is_gone() -> None:
    wanted = {Path(rule.runbook).name for rule in RULES.values()}
    assert {page.name for page in RUNBOOKS.glob("*.md")} == wanted


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_every_command_in_a_runbook_exists_with_its_flags(page: Path) -> None:
    for words in commands_in(page.read_text(encoding="utf-8")):
        assert words[0] in COMMANDS, words
        command = resolve(words)
        known = {flag for parameter in command.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, words


def test_alerts_that_runbooks_refer_to_exist() -> None:
    for page in RUNBOOKS.glob("*.md"):
        named = re.findall(r"(?:runbook of|the alert|then) `([a-z_]+)`", page.read_text(encoding="utf-8"))
        assert set(named) <= RULES.keys(), page.name
