"""`edgemind advice run` as a person runs it beside the demo, with llama.cpp and the demo's own small model."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.inference.llama_wheels import llama_available
from tests.support.demo_runs import DemoRun, demo_run, edgemind, environment

AVAILABLE, REASON = llama_available()
pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not AVAILABLE, reason=("platform: " if "this CPU" in REASON else "") + REASON),
]


def asked(run: DemoRun, *arguments: str) -> Any:
    command = edgemind(*arguments, "-o", "json")
    done = subprocess.run(
        command, cwd=run.folder, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{run.logs()}"
    return json.loads(done.stdout)


def test_a_real_round_is_explained_and_a_bounded_change_proposed(tmp_path: Path) -> None:
    with demo_run(tmp_path, "--duration", "280", "--rate", "4") as run:
        run.until("Ctrl-C")
        # Asked for by an operator: no surge has to be waited for, and the model has its core for itself.
        asked(run, "rounds", "force", "--model", "simulated-llm")
        document = asked(run, "advice", "run")
        newest = asked(run, "rounds", "list", "--limit", "1")["rounds"][0]
        page = asked(run, "advice", "list")
    assert document["model"] == "smollm2-135m"
    assert document["decided"] == newest["told"]
    assert len(document["explanation"]) > 20
    if document["proposal"] is None:
        return
    change = document["change"]
    assert change is not None, document["refused"]
    assert page["changes"][0] == change
    settings = {one["field"]: one for one in page["settings"]}
    (move,) = change["changes"]
    assert settings[move["field"]]["low"] <= move["to"] <= settings[move["field"]]["high"]
    assert change["proposed_by"] == "advisor"
    assert change["state"] == "rejected"
    assert change["replay"]["reason"].startswith("no evidence: ")
    assert page["in_force"] is None
