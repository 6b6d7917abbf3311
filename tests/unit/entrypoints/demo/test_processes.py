"""Real processes, small ones: none outlives the demo, and one that dies is told with its last words."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgemind.entrypoints.demo.processes import Child, Processes, ProcessPlan, last_line

ROOT = Path(__file__).resolve().parents[4]
WAITS = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
DIES = "import sys; print('all is well'); sys.exit('no such file: weights.gguf')"


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    for name, code in {"waits": WAITS, "stubborn": STUBBORN, "dies": DIES}.items():
        (tmp_path / f"{name}_module.py").write_text(code)
    with Processes(tmp_path) as processes:
        yield processes


def start(processes: Processes, module: str, site: str | None = None) -> Child:
    return processes.start(ProcessPlan(f"{site or 'no'}-{module}", f"{module}_module", (), "http://127.0.0.1:1/", site))


def until_up(child: Child) -> None:
    while "up" not in child.log.read_text():
        assert child.running, child.log.read_text()


def test_a_process_that_dies_is_told_once_with_its_last_words(workshop: Processes) -> None:
    child = start(workshop, "dies", "site-a")
    child.process.wait(30)
    [told] = workshop.newly_ended()
    assert told.obituary() == (
        f"site-a-dies ended by itself (exit code 1): no such file: weights.gguf (all of it: {child.log})"
    )
    assert list(workshop.newly_ended()) == []


def test_a_killed_site_is_gone_and_no_surprise(workshop: Processes) -> None:
    children = [
        start(workshop, "waits", "site-b"),
        start(workshop, "stubborn", "site-b"),
        start(workshop, "waits", "site-a"),
    ]
    for child in children:
        until_up(child)
    assert workshop.kill_site("site-b") == 2
    for child in children[:2]:
        assert child.process.wait(10) == -signal.SIGKILL
    assert list(workshop.newly_ended()) == []
    assert workshop.running() == children[2:]
    assert workshop.kill_site("site-b") == 0


def test_what_computes_for_long_gives_way_to_the_others(workshop: Processes) -> None:
    polite = workshop.start(ProcessPlan("polite", "waits_module", (), "http://127.0.0.1:1/", niceness=5))
    usual = start(workshop, "waits")
    for child in (polite, usual):
        until_up(child)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, usual.process.pid) == own
    assert os.getpriority(os.PRIO_PROCESS, polite.process.pid) == min(19, own + 5)


def test_stopping_is_orderly_first(workshop: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.entrypoints.demo.processes.STOP_S", 0.3)
    polite, stubborn = start(workshop, "waits"), start(workshop, "stubborn")
    for child in (polite, stubborn):
        until_up(child)
    asyncio.run(workshop.stop())
    assert polite.process.wait(10) == -signal.SIGTERM
    assert stubborn.process.wait(10) == -signal.SIGKILL


def test_leaving_the_block_ends_them(tmp_path: Path, workshop: Processes) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with Processes(logs) as processes:
        child = start(processes, "stubborn")
        until_up(child)
    assert child.process.poll() == -signal.SIGKILL


def test_a_killed_demo_takes_its_processes_along(tmp_path: Path, workshop: Processes) -> None:
    """SIGKILL gives the demo no chance to clean up: its processes notice by themselves."""
    demo = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from edgemind.entrypoints.demo.processes import ProcessPlan, Processes

        with Processes(Path(sys.argv[1])) as processes:
            for name in ("waits", "stubborn"):
                child = processes.start(ProcessPlan(name, f"{name}_module", (), ""))
                while "up" not in child.log.read_text():
                    pass
                print(child.process.pid, flush=True)
            print("ready", flush=True)
            time.sleep(60)
        """
    )
    command = [sys.executable, "-c", demo, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(line) for line in iter(process.stdout.readline, "ready\n")]
        process.kill()
    assert len(pids) == 2
    while any(alive(pid) for pid in pids):
        pass


def alive(pid: int) -> bool:
    """Orphans are reaped by whoever adopts them, perhaps never: a zombie is not alive."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_last_words(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert "cannot be read" in last_line(log)
    log.write_text("\n\n")
    assert last_line(log) == "it said nothing"
    log.write_bytes(b"first\n" * 5000 + b"la\xffst\n\n")
    assert last_line(log) == "la\ufffdst"
