"""What is refused before anything starts: one line that names what to change, and no process left."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgemind.adapters.inference import llama_wheels
from edgemind.entrypoints.demo.command import choose_backend, demo
from edgemind.entrypoints.demo.layout import demo_fleet
from edgemind.entrypoints.demo.ports import check_ports
from edgemind.entrypoints.demo.report_file import check_writable, write_report
from edgemind.errors import ConfigurationError, PermanentError
from tests.support.free_ports import free_base_port


def test_a_taken_port_is_named_with_the_flag_that_helps() -> None:
    base_port = free_base_port()
    layout = demo_fleet(3, base_port, llama=False)
    check_ports(layout, page=True)
    with socket.create_server(("127.0.0.1", base_port + 102)), pytest.raises(PermanentError) as refused:
        check_ports(layout, page=True)
    assert str(base_port + 102) in str(refused.value)
    assert "controller of site-c" in str(refused.value)
    assert f"--base-port {base_port + 1000}" in str(refused.value)


def test_the_page_needs_its_port_only_if_it_is_wanted() -> None:
    base_port = free_base_port()
    layout = demo_fleet(1, base_port, llama=False)
    with socket.create_server(("127.0.0.1", base_port + 500)):
        check_ports(layout, page=False)
        with pytest.raises(PermanentError, match="dashboard"):
            check_ports(layout, page=True)


@pytest.mark.parametrize("path", ["missing/r.json", "file/r.json", "."])
def test_a_report_that_cannot_be_written(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="--report"):
        check_writable(tmp_path / path)


def test_a_report_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    check_writable(report)
    assert list(tmp_path.iterdir()) == []
    write_report(report, {"a": 1})
    write_report(report, {"a": 2})
    assert report.read_text() == '{\n  "a": 2\n}\n'
    assert list(tmp_path.iterdir()) == [report]


def test_auto_says_what_it_took_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_wheels, "llama_available", lambda: (False, "llama.cpp is not installed"))
    assert choose_backend("auto") == (False, "llama.cpp is not installed")
    assert choose_backend("simulated")[0] is False
    with pytest.raises(ConfigurationError, match=r"--backend llama is not possible here: llama\.cpp is not installed"):
        choose_backend("llama")
    monkeypatch.setattr(llama_wheels, "llama_available", lambda: (True, "llama.cpp with weights"))
    assert choose_backend("auto") == choose_backend("llama") == (True, "llama.cpp with weights")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--sites", "0"], "--sites"),
        (["--sites", "27"], "--sites"),
        (["--duration", "0"], "--duration"),
        (["--duration", "inf"], "--duration"),
        (["--rate", "0"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--scenario", "earthquake"], "flash-crowd"),
        (["--policy", "best"], "least_request"),
        (["--base-port", "80"], "--base-port"),
        (["--base-port", "65530"], "--base-port"),
        (["--report", "missing/r.json"], "--report missing/r.json cannot be written"),
        (["--scenario", "site-failure", "--sites", "1"], "--scenario site-failure needs --sites 2 or more"),
    ],
)
def test_wrong_flags(flags: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(demo, flags)
    assert result.exit_code == 2
    assert said in result.output
    assert list(tmp_path.iterdir()) == []
