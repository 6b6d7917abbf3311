"""Each example as its README says to run it, but on free ports: it ends well and leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.free_ports import free_base_port
from tests.support.serving import free_ports

ROOT = Path(__file__).resolve().parents[2]
ROUTE_ONE = "01-route-one-request/route_one_request.py"
KILL_ONE = "02-your-own-servers/kill_one_server.py"
OPENAI = "03-openai-client/openai_client.py"

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="platform: processes are looked up in /proc"),
]


class Copy:
    """The examples in a folder of the test; every process that comes of them carries `mark` in its environment."""

    def __init__(self, folder: Path) -> None:
        self.examples = folder / "examples"
        self.mark = f"EXAMPLES_MARK={uuid4()}"
        shutil.copytree(ROOT / "examples", self.examples, ignore=shutil.ignore_patterns("__pycache__"))
        for config in self.examples.rglob("edgemind.yaml"):
            _give_free_ports(config)

    def start(self, script: str, *arguments: str) -> "subprocess.Popen[str]":
        name, _, value = self.mark.partition("=")
        kept = {key: text for key, text in os.environ.items() if not key.startswith("EDGEMIND_")}
        environment = {**kept, name: value, "PYTHONPATH": f"{self.examples.parent}{os.pathsep}{ROOT}"}
        command = [sys.executable, str(self.examples / script), *arguments]
        return subprocess.Popen(
            command, cwd=self.examples, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, script: str, *arguments: str) -> str:
        """What it printed; it must end with exit code 0 and leave no process."""
        with self.start(script, *arguments) as process:
            printed = process.communicate()[0]
        assert process.returncode == 0, printed
        assert self.left() == []
        return printed

    def left(self) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


def _give_free_ports(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    used = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
    chosen = dict(zip(used, free_ports(len(used)), strict=True))
    config.write_text(re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda port: str(chosen[port[0]]), text), encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_one_request_with_its_receipt_and_explanation(copy: Copy) -> None:
    printed = copy.run(ROUTE_ONE)
    assert re.search(r"^answer +\[simulated-llm\] This is a simulated answer", printed, re.MULTILINE)
    assert re.search(r"^decision +dec-here-0-[0-9a-f]{16}$", printed, re.MULTILINE)
    assert re.search(r"^ran at +here$", printed, re.MULTILINE)
    assert "candidate  here rtt_ms=0" in printed


@pytest.mark.slow
def test_no_request_fails_when_a_server_is_killed_under_load(copy: Copy) -> None:
    both, killed, again, total = copy.run(KILL_ONE).splitlines()
    assert re.match(r"both servers up +.* failed 0,", both)
    assert re.match(r"rack-1 killed +(rack-1 \d+, )?rack-2 \d+ .* failed 0,", killed)
    assert "rack-1" in again.removeprefix("rack-1 started again"), "rack-1 is not used again after its return"
    assert re.fullmatch(r"0 of [1-9]\d+ requests failed", total)


@pytest.mark.slow
def test_the_openai_client_sees_deadline_session_residency_and_explanation(copy: Copy) -> None:
    printed = copy.run(OPENAI, str(free_base_port()))
    decision = re.search(r"^decision +(dec-site-a-0-[0-9a-f]{16})$", printed, re.MULTILINE)
    assert decision is not None, printed
    assert re.search(r"^stream +[1-9]\d* pieces: \[simulated-llm\]", printed, re.MULTILINE)
    assert re.search(r"^deadline +5000 ms: site-[abc] \(\w+\)$", printed, re.MULTILINE)
    assert re.search(r"^deadline +50 ms: 503 deadline_unreachable: ", printed, re.MULTILINE)
    assert re.search(r"^session +(site-[abc]) \(\w+\), then \1 \(session\)", printed, re.MULTILINE)
    assert re.search(r"^residency +nl: site-c \(\w+\)$", printed, re.MULTILINE)
    assert re.search(r"^residency +us: 403 residency_unsatisfiable: ", printed, re.MULTILINE)
    assert f"{decision[1]}: simulated-llm asked at site-a ran" in printed


@pytest.mark.slow
def test_a_stopped_example_leaves_nothing_behind(copy: Copy) -> None:
    process = copy.start(KILL_ONE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("both servers up")
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert copy.left() == []


@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "examples").glob("[0-9]*")))
def test_each_example_tells_how_to_run_it(folder: str) -> None:
    readme = (ROOT / "examples" / folder / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\.venv/bin/python (\S+)$", readme, re.MULTILINE)
    assert commands
    assert all((ROOT / command).is_file() for command in commands)
    assert {command.partition("/")[2] for command in commands} <= {ROUTE_ONE, KILL_ONE, OPENAI}
