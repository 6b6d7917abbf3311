"""`edgemind mcp` before it serves."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.cli import cli
from mcp_tools import serving
from tests.unit.settings_example import EXAMPLE


def test_over_stdio_a_configuration_tells_thresholds_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Thresholds | None] = []

    async def over_stdio(name: str, client: Any, writes: bool, thresholds: Thresholds | None, key: str | None) -> None:
        told.append(thresholds)

    monkeypatch.setattr(serving, "over_stdio", over_stdio)
    config = tmp_path / "edgemind.yaml"
    config.write_text(EXAMPLE)
    served = ["mcp", "metrics_monitor", "--fleet", "http://127.0.0.1:9", "--config", str(config)]
    result = CliRunner().invoke(cli, served)
    assert result.exit_code == 0, result.output
    assert [type(one) for one in told] == [Thresholds]
