"""The README's commands run as written, in a demo's folder; only its ports and a decision's id are others."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgemind.adapters.inference.llama_wheels import llama_available
from tests.support.demo_runs import SERVING, DemoRun, demo_run, edgemind, environment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISION = re.compile(r"dec-site-[a-z]-\d+-[0-9a-f]{16}")
BASE_PORT = 8100
PORTS = range(BASE_PORT, BASE_PORT + 501)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="platform: processes are looked up in /proc"),
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """The demo that the README starts; with its simulated model where the real one cannot run."""
    backend = "llama" if llama_available()[0] else "simulated"
    with demo_run(tmp_path_factory.mktemp("readme"), "--backend", backend, "--rate", "5") as run:
        run.until(SERVING)
        yield run


def adapted(text: str, demo: DemoRun) -> str:
    """The demo's own ports for the default ones, this Python for `./run`, and a model that is there."""

    def port(found: re.Match[str]) -> str:
        number = int(found[1])
        return f"127.0.0.1:{number - BASE_PORT + demo.base_port if number in PORTS else number}"

    text = re.sub(r"127\.0\.0\.1:(\d+)", port, text).replace("./run edgemind", " ".join(edgemind()))
    return text if llama_available()[0] else text.replace("smollm2-135m", "simulated-llm")


def printed(command: list[str], demo: DemoRun) -> str:
    result = subprocess.run(
        command, cwd=demo.folder, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def shell(text: str, demo: DemoRun) -> str:
    return printed(["sh", "-euc", adapted(text, demo)], demo)


def test_there_are_the_two_commands() -> None:
    assert [block.strip() for block in blocks("") if block.startswith("./run")] == ["./run demo", "./run test"]


@pytest.mark.skipif(
    subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, check=False).returncode != 0,
    reason="curl is not installed",
)
def test_the_curl_line_is_answered_and_its_decision_explained(demo: DemoRun) -> None:
    ask, explain = (block for block in blocks("sh") if "8100" in block or "explain" in block)
    answer = shell(ask, demo)
    assert answer.startswith("HTTP/1.1 200 OK")
    headers = ("x-request-id", "x-edgemind-site", "x-edgemind-reason", "x-edgemind-predicted-ms")
    assert all(re.search(rf"^{header}: \S+\s*$", answer, re.MULTILINE) for header in headers)
    assert re.search(r'"content": ?"', answer)
    decision = DECISION.search(answer)
    assert decision is not None
    explanation = shell(DECISION.sub(decision[0], explain), demo)
    assert explanation.startswith(f"{decision[0]}: ")
    assert re.search(r"^chosen +site-", explanation, re.MULTILINE)


def test_what_it_shows_fits_together() -> None:
    shown = DECISION.findall(README)
    after_curl = README[README.index("curl -i") :]
    asked = re.search(r"^x-request-id: (\S+)$", after_curl, re.MULTILINE)
    assert asked is not None
    assert shown.count(asked[1]) == 3, "receipt, command and explanation are of one decision"


def test_the_openai_example_runs_unchanged(demo: DemoRun) -> None:
    (example,) = blocks("python")
    assert printed([sys.executable, "-c", adapted(example, demo)], demo).strip()


def test_every_other_command_line_is_one_that_exists(demo: DemoRun) -> None:
    for command in re.findall(r"`\./run edgemind ([a-z ]+)(?: --help)?`", README):
        assert printed(edgemind(*command.split(), "--help"), demo).startswith("Usage:")
    flags = set(re.findall(r"(?<![\w-])--[a-z-]+", " ".join(re.findall(r"`\./run demo[^`]*`", README))))
    assert all(flag in printed(edgemind("demo", "--help"), demo) for flag in flags)
