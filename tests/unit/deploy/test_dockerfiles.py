"""The rules of every Dockerfile: hadolint's, and those of ours that it does not know."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import edgemind

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "deploy" / "docker").glob("*.Dockerfile"))
HADOLINT = Path(sys.executable).parent / "hadolint"
FAMILIES = {"gateway", "controller", "model-server", "dashboard", "state-store", "valkey"}
every_dockerfile = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def lines_of(path: Path) -> list[str]:
    """Instructions, each on one line, without comments."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_there_is_one_for_each_process_family() -> None:
    assert {path.stem for path in FILES} == FAMILIES


@every_dockerfile
def test_hadolint_finds_nothing(path: Path) -> None:
    if not HADOLINT.exists():
        pytest.skip("no hadolint: `./run test` installs it with the group infra")
    found = subprocess.run([HADOLINT, "--no-color", path], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@every_dockerfile
def test_nothing_is_fetched_to_read_it_and_its_base_is_pinned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "syntax=" not in text
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-[a-z]+$", text, re.MULTILINE)
    bases = {line.split()[1] for line in lines_of(path) if line.startswith("FROM ")}
    assert bases == {"${PYTHON_IMAGE}", "${WHEELS_IMAGE}"}


@every_dockerfile
def test_packages_come_from_locks_by_hash_as_wheels(path: Path) -> None:
    installs = [line for line in lines_of(path) if "pip install" in line]
    assert len(installs) == 1
    for flag in ("--require-hashes", "--no-deps", "--only-binary :all:", "--no-cache-dir", "-r "):
        assert flag in installs[0]
    for lock in re.findall(r"[\w-]+\.lock", path.read_text(encoding="utf-8")):
        assert (ROOT / "requirements" / lock).exists()


@every_dockerfile
def test_the_last_stage_runs_as_a_plain_user_with_a_health_check(path: Path) -> None:
    lines = lines_of(path)
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER 10001:10001" in last
    assert any(line.startswith("HEALTHCHECK ") and "healthcheck.py" in line for line in last)
    assert not [line for line in last if re.search(r"\b(pip|apt-get|curl|wget)\b", line)]
    assert last[-1].startswith(("ENTRYPOINT ", "CMD "))


@every_dockerfile
def test_labels_tell_the_version(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert f"ARG EDGEMIND_VERSION={edgemind.__version__}\n" in text
    assert 'org.opencontainers.image.version="${EDGEMIND_VERSION}"' in text
    assert f'org.opencontainers.image.title="edgemind-{path.stem}"' in text


def test_the_controllers_image_holds_the_agents_and_their_tools_and_only_that_one() -> None:
    for path in FILES:
        lines = lines_of(path)
        packages = {line.split()[1] for line in lines if line.startswith("COPY ")} & {"agents", "mcp_tools"}
        agents = path.stem == "controller"
        assert packages == ({"agents", "mcp_tools"} if agents else set()), path.stem
        assert ("agents.lock" in path.read_text(encoding="utf-8")) is agents
    assert lines_of(ROOT / "deploy" / "docker" / "controller.Dockerfile")[-1].endswith('"--voter", "auto"]')


def test_the_context_holds_only_what_is_copied() -> None:
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    ]
    copied = set()
    for path in FILES:
        for line in lines_of(path):
            if line.startswith("COPY ") and "--from=" not in line:
                copied.update(line.split()[1:-1])
    assert copied
    for source in copied:
        assert (ROOT / source).exists()
        assert any(Path(source) == Path(entry) or Path(source).match(entry) for entry in allowed), source
