"""A Docker engine: the one that this machine runs, or one of the suite's own, in a temporary folder and with a base
image made from Debian's packages.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0
# What a kernel or a sandbox says that lets nobody run containers, root or not.
_FORBIDDEN = ("operation not permitted", "permission denied", "read-only file system")
_MEMORY, _PLENTY = Path("/dev/shm"), 8 * 1024**3
_BRIDGE = Path("/sys/class/net/docker0")
_EMPTY = b"*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"


@dataclass(frozen=True, slots=True)
class Docker:
    """An engine that answers; `own` tells that nothing of it outlives the test."""

    environment: Mapping[str, str]
    own: bool

    def run(self, *arguments: str, stdin: Path | None = None) -> str:
        """What a docker command prints on stdout; AssertionError with what it says when it fails."""
        with contextlib.ExitStack() as held:
            source = held.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
            answer = subprocess.run(
                ["docker", *arguments], stdin=source, capture_output=True, env=dict(self.environment), check=False
            )
        said = answer.stderr.decode(errors="replace")
        assert answer.returncode == 0, f"docker {' '.join(arguments)}: {said[-4000:]}"
        return answer.stdout.decode().strip()

    def has_image(self, name: str) -> bool:
        command = ["docker", "image", "inspect", name]
        return subprocess.run(command, capture_output=True, env=dict(self.environment), check=False).returncode == 0


def why_not() -> str | None:
    """Why there can be no engine here; None if one answers or may be started."""
    if shutil.which("docker") is None:
        return "no docker command (Debian: apt-get install docker.io)"
    if not _succeeds("docker", "compose", "version"):
        return "no compose plugin of docker (.ci/install-docker puts one there)"
    if _succeeds("docker", "version"):
        return None
    if os.geteuid() != 0:
        return "no Docker engine answers, and only root can start one"
    missing = [name for name in ("dockerd", "iptables") if shutil.which(name) is None]
    return f"no {' and no '.join(missing)} (.ci/install-docker installs them)" if missing else None


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """For gigabytes that nobody keeps: in memory where there is plenty, which halves the time of all that is built.

    Not below a test's own folder: pytest keeps those, and the path of a socket has at most 107 characters.
    """
    plenty = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _PLENTY and _available() > 2 * _PLENTY
    folder = Path(tempfile.mkdtemp(prefix="edgemind-docker-", dir=_MEMORY if plenty else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _available() -> int:
    """Bytes of memory that a process could have."""
    found = re.search(r"^MemAvailable: *(\d+) kB$", Path("/proc/meminfo").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Docker]:
    """The engine that answers, else one of our own in `folder`. PermissionError: a sandbox forbids one."""
    if _succeeds("docker", "version"):
        yield Docker(os.environ, own=False)
        return
    socket = folder / "docker.sock"
    log = folder / "dockerd.log"
    command = ["dockerd", "--data-root", str(folder / "root"), "--exec-root", str(folder / "exec"),
               "--host", f"unix://{socket}", "--pidfile", str(folder / "dockerd.pid")]  # fmt: skip
    with _network_as_it_was(), log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            engine = Docker({**os.environ, "DOCKER_HOST": f"unix://{socket}"}, own=True)
            _wait(process, engine, log)
            yield engine
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", engine: Docker, log: Path) -> None:
    give_up_s = time.monotonic() + START_LIMIT_S
    while not _succeeds("docker", "version", environment=engine.environment):
        said = log.read_text(errors="replace")
        if process.poll() is not None:
            last = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
            if any(word in last.lower() for word in _FORBIDDEN):
                raise PermissionError(last)
            raise AssertionError(f"dockerd ended at once: {said[-4000:]}")
        assert time.monotonic() < give_up_s, f"dockerd never answered: {said[-4000:]}"
        time.sleep(0.1)


@contextlib.contextmanager
def _network_as_it_was() -> Iterator[None]:
    """dockerd leaves its chains and its bridge behind; where there were none before, they go."""
    before = subprocess.run(["iptables-save"], capture_output=True, check=False).stdout
    bridged = _BRIDGE.exists()
    try:
        yield
    finally:
        if b":DOCKER" not in before:
            # Emptied first: a table without rules is not in the dump.
            subprocess.run(["iptables-restore"], input=_EMPTY + before, capture_output=True, check=False)
        if not bridged and shutil.which("ip"):
            subprocess.run(["ip", "link", "delete", _BRIDGE.name], capture_output=True, check=False)


def _succeeds(*command: str, environment: Mapping[str, str] | None = None) -> bool:
    answer = subprocess.run(command, capture_output=True, env=dict(environment or os.environ), check=False)
    return answer.returncode == 0
