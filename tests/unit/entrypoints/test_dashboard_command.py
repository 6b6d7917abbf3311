"""`edgemind dashboard`: the command line that it becomes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edgemind.entrypoints import dashboard_command as module


def test_it_becomes_streamlit_with_what_it_may_do_spelled_out() -> None:
    words = module.dashboard_command("127.0.0.1", 8600, "http://127.0.0.1:8200", Path("t"), Path("p"))
    assert words[1:4] == ["-m", "streamlit", "run"]
    assert words[4].endswith("dashboard/main.py")
    assert words[-7:] == ["--", "--fleet", "http://127.0.0.1:8200", "--token-file", "t", "--people-file", "p"]
    assert "--browser.gatherUsageStats" in words


def test_another_address_is_answered_at_too() -> None:
    words = module.dashboard_command("10.0.0.5", 80, None, None, None)
    assert words[words.index("10.0.0.5", words.index("--server.address") + 2) - 1] == "--server.allowedHosts"
    assert words[-1] == "--"


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    ran = CliRunner().invoke(module.dashboard)
    assert ran.exit_code != 0
    assert 'pip install "edgemind-mec[demo]"' in str(ran.output) + str(ran.exception)
