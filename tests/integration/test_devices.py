"""`edgemind devices` as a process: what it sends, counts and keeps, and what it refuses."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from edgemind.domain.device_mixes import DETECTOR, EMBEDDER, SIMULATED_LLM
from edgemind.entrypoints.cli import cli
from tests.support.model_servers import free_port, running

SERVICE_MS = {DETECTOR: 5, SIMULATED_LLM: 20, EMBEDDER: 5}
LIMIT_S = 60.0


def models_at(url: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "base_url": url, "slots": 8, "service_ms": service_ms, "engine": "simulated"}
        for name, service_ms in SERVICE_MS.items()
    ]


def written(path: Path, sites: list[dict[str, Any]]) -> Path:
    tenants = [{"name": "demo", "models": ["*"]}]
    # A secret that nobody has: devices need none of the fleet's.
    fleet = {"secret": "env:NOT_SET_ANYWHERE"}
    path.write_text(yaml.safe_dump({"version": 1, "fleet": fleet, "sites": sites, "tenants": tenants}))
    return path


@pytest.fixture
def ingress() -> str:
    """Where a model server stands in for the gateway of site-b: it answers as models do."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def stand_in(tmp_path: Path, ingress: str) -> Path:
    return written(tmp_path / "stand-in.yaml", [{"name": "site-b", "models": models_at(ingress)}])


@pytest.fixture
def config(tmp_path: Path, ingress: str) -> Path:
    """Three sites. The gateway of site-a is gone, site-c has none."""
    models, gone = models_at("http://127.0.0.1:9"), f"http://127.0.0.1:{free_port()}"
    (tmp_path / "key").write_text("em_00000000_anything\n")
    sites: list[dict[str, Any]] = [
        {"name": "site-a", "gateway": gone, "rtt_ms": {"site-b": 2.0}, "models": models},
        {"name": "site-b", "gateway": ingress, "models": models},
        {"name": "site-c", "models": models},
    ]
    return written(tmp_path / "edgemind.yaml", sites)


def command(config: Path, *flags: str) -> list[str]:
    key = str(config.with_name("key"))
    return ["devices", "--config", str(config), "--key-file", key, "--rate", "40", *flags]


@pytest.mark.slow
def test_devices_whose_site_is_gone_are_served_by_the_next(config: Path, stand_in: Path, tmp_path: Path) -> None:
    report = tmp_path / "devices.json"
    with running(stand_in, "--site", "site-b"):
        flags = command(config, "--duration", "3", "--report", str(report))
        done = subprocess.run([sys.executable, "-m", "edgemind", *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(report.read_text())
    assert seen["requests"]["sent"] == seen["requests"]["ok"] > 40
    assert set(seen["sent_by_site"]) == {"site-a", "site-b"}
    assert min(seen["sent_by_site"].values()) > 10
    assert seen["reattached"] > 0
    assert f"sent {seen['requests']['sent']}" in done.stdout


def test_sigterm_ends_it_with_the_last_counts(config: Path, stand_in: Path, tmp_path: Path) -> None:
    report = tmp_path / "devices.json"
    with running(stand_in, "--site", "site-b"):
        flags = command(config, "--site", "site-b", "--report", str(report))
        process = subprocess.Popen([sys.executable, "-m", "edgemind", *flags], stdout=subprocess.PIPE, text=True)
        give_up_s = time.monotonic() + LIMIT_S
        while not report.exists() or json.loads(report.read_text())["requests"]["ok"] < 10:
            assert process.poll() is None
            assert time.monotonic() < give_up_s
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    assert f"sent {json.loads(report.read_text())['requests']['sent']}" in printed


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--site", "site-z"], "no site is called 'site-z'; declared are site-a, site-b, site-c"),
        (["--site", "site-c"], "site-c: has no gateway for devices"),
        (["--key-file", "nowhere"], "--key-file nowhere cannot be read"),
        (["--report", "/nowhere/r.json"], "cannot be written"),
        (["--scenario", "site-failure"], "site-failure"),
    ],
)
def test_what_cannot_be_is_refused_at_once(config: Path, flags: list[str], words: str) -> None:
    refused = CliRunner().invoke(cli, command(config, *flags))
    assert refused.exit_code == 2
    assert words in refused.output
