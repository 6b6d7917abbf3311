"""The root command: what it lists, how it loads, how it fails."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgemind.entrypoints import cli as root
from edgemind.entrypoints.cli import COMMANDS, LazyCommand, cli, load_command, main
from edgemind.errors import ConfigurationError, PermanentError, StoreUnavailable

ROOT = Path(__file__).parents[3]


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    for name, lazy in COMMANDS.items():
        assert f"{name} " in shown.output
        assert lazy.summary in shown.output


def test_help_imports_no_command() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from edgemind.entrypoints.cli import cli;"
        "CliRunner().invoke(cli, ['--help']);"
        "heavy = {'fastapi', 'pydantic', 'uvicorn', 'yaml', 'edgemind.settings', 'http.client', 'asyncio'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(cli, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage:" in shown.output


def test_an_unknown_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["dance"]).exit_code == 2


def test_a_command_that_prints_its_findings_itself_ends_with_its_code(tmp_path: Path) -> None:
    """In a process of its own: click's test runner turns an Exit into a code by itself."""
    file = tmp_path / "edgemind.yaml"
    file.write_text("version: 1\nsites: []\n", encoding="utf-8")
    command = [sys.executable, "-m", "edgemind", "config", "validate", str(file)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr


def test_a_missing_extra_is_named_with_its_cure() -> None:
    missing = LazyCommand("edgemind_nowhere.command:demo", "", extra="demo")
    with pytest.raises(click.ClickException) as refused:
        load_command("demo", missing)
    assert 'pip install "edgemind-mec[demo]"' in refused.value.message
    assert "edgemind_nowhere" in refused.value.message


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (PermanentError("the port is taken: stop it"), 1, "Error: the port is taken: stop it"),
        (StoreUnavailable("the disk is full: make room"), 1, "Error: the disk is full: make room"),
        (ConfigurationError("edgemind.yaml:3: no"), 2, "Error: edgemind.yaml:3: no"),
        (RuntimeError("a defect"), 1, "Error: unexpected RuntimeError: a defect. EDGEMIND_DEBUG=1 shows where."),
        (KeyboardInterrupt(), 130, ""),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_a_failure_is_one_line_and_a_traceback_only_on_demand(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    line: str,
    debug: bool,
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(root, "load_command", lambda *_: fails)
    monkeypatch.setattr(sys, "argv", ["edgemind", "gateway"])
    monkeypatch.setenv("EDGEMIND_DEBUG", "1" if debug else "")

    with pytest.raises(SystemExit) as ended:
        main()

    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (code, "")
    assert shown.err.split("\n")[-2:] == [line, ""]
    assert ("Traceback" in shown.err) is (debug and bool(line))


def test_the_module_runs_as_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "edgemind", "--version"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("edgemind, version ")
