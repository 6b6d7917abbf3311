"""The audit journal of real controller processes: through kills, restarts and a disk that is not there."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgemind.bootstrap import open_state_store
from edgemind.bootstrap.audit import audit_files, checkpoint_keys
from edgemind.domain.audit.verification import Verified
from edgemind.services.audit.verify_journal import anchors_of, verify_journal
from edgemind.settings import load_settings
from tests.support.audit_journals import KEYS
from tests.support.controller_processes import ControllerFleet, model_server, request, until
from tests.support.controllers import report_document
from tests.support.serving import served

pytestmark = pytest.mark.slow
SITE = {"x-edgemind-site-token": "between-sites", "content-type": "application/json"}
WRITER = """
import sys, secrets
from pathlib import Path
from edgemind.adapters.audit_journal.segment_log import KeepRules, SegmentLog
from tests.support.audit_journals import KEYS, decision
log = SegmentLog(Path(sys.argv[1]), "site-a", KEYS, KeepRules(100_000, 1 << 30, 90.0), secrets.token_bytes)
log.begin([])
number = 0
while True:
    log.append([decision(number + k, more="x" * 300) for k in range(7)])
    number += 7
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ControllerFleet]:
    with served(model_server) as url, ControllerFleet(tmp_path, url, sites=1).running() as running:
        yield running


def decision_id(number: int) -> str:
    return f"dec-site-a-0-{number:016x}"


def hand_over(fleet: ControllerFleet, batch: int, *numbers: int, run: str = "9-1") -> Any:
    decisions = [
        {
            "id": decision_id(number), "at_ms": 1_700_000_000_000 + number, "model": "detector", "reason": "table",
            "status": 200, "residency": ["de"], "ran": {"site-a": ["de"]}, "subject": "tenant:acme",
            "personal": {"explanation": {
                "id": decision_id(number), "at_ms": 1, "site": "site-a", "model": "detector", "reason": "table",
            }},
        }
        for number in numbers
    ]  # fmt: skip
    journal = {"run": run, "batch": batch, "decisions": decisions}
    load = {"in_flight": 1, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 0.0}
    document = {**report_document("site-a", worker=1, models={"detector": load}), "journal": journal}
    return request("POST", f"{fleet.url('site-a')}/edgemind/v1/gateways/sync", SITE, document)


def verified(fleet: ControllerFleet) -> Verified:
    settings = load_settings(fleet.folder / "edgemind.yaml")
    anchors = anchors_of(open_state_store(settings).audit_anchors(), "site-a")
    return verify_journal(audit_files(settings.audit.directory), "site-a", anchors, checkpoint_keys(settings))


def audit(fleet: ControllerFleet) -> dict[str, Any]:
    _, told = fleet.get("site-a", "/sites/site-a")
    return dict(told["audit"]) if told else {}


def test_a_killed_controller_loses_nothing_that_was_written_and_explains_it_afterwards(fleet: ControllerFleet) -> None:
    until(lambda: fleet.sees_all("site-a"), "the controller answers")
    status, answer = hand_over(fleet, 1, *range(100))
    assert (status, answer["journaled"]) == (200, {"run": "9-1", "batch": 1})
    until(lambda: audit(fleet).get("records", 0) > 100, "all of it is written")
    until(lambda: audit(fleet)["anchored"] > 100, "and anchored")
    hand_over(fleet, 2, *range(100, 300))
    fleet.signal("site-a", signal.SIGKILL)
    fleet.processes["site-a"].wait()
    fleet.start("site-a")
    until(lambda: fleet.get("site-a", f"/decisions/{decision_id(57)}")[0] == 200, "the journal explains it")
    _, told = fleet.get("site-a", f"/decisions/{decision_id(57)}")
    assert (told["reason"], told["kept_in"]) == ("table", "journal")
    until(lambda: audit(fleet).get("ok") and audit(fleet)["anchored"] > 100, "it goes on")
    fleet.signal("site-a", signal.SIGTERM)
    assert fleet.processes["site-a"].wait(20) == 0
    found = verified(fleet)
    assert found.flaw is None
    assert found.anchored == found.last
    assert found.kinds["journal"] == 2


def test_a_drain_is_kept_with_who_asked(fleet: ControllerFleet) -> None:
    until(lambda: fleet.sees_all("site-a"), "the controller answers")
    headers = {"authorization": "Bearer act"}
    assert request("POST", f"{fleet.url('site-a')}/edgemind/v1/sites/site-a/drain", headers)[0] == 200
    settings = load_settings(fleet.folder / "edgemind.yaml")

    def kept() -> list[dict[str, Any]]:
        records = audit_files(settings.audit.directory).records("site-a")
        return [record.body for record in records if record.kind == "admin_action"]

    until(kept, "the action is in the journal")
    assert (kept()[0]["action"], kept()[0]["by"]) == ("POST /sites/site-a/drain", "fleet.tokens.operator")


def test_a_place_that_cannot_be_written_is_told_and_costs_nobody_anything(tmp_path: Path) -> None:
    (tmp_path / ".edgemind").mkdir()
    (tmp_path / ".edgemind" / "journal").write_text("a file in the way")
    with served(model_server) as url, ControllerFleet(tmp_path, url, sites=1).running() as fleet:
        until(lambda: fleet.sees_all("site-a"), "the controller answers")
        until(lambda: audit(fleet).get("ok") is False, "the trouble is told")
        assert hand_over(fleet, 1, 1)[0] == 200
        assert "set audit.directory to a directory of its own" in audit(fleet)["trouble"]
        assert fleet.log("site-a").count("the audit journal of site-a cannot be written") == 1


def test_a_writer_that_is_killed_at_any_moment_leaves_a_journal_that_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "site-a"
    for attempt in range(6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)])
        grown = threading.Event()
        started = size(folder)
        while not grown.is_set() and process.poll() is None:
            if size(folder) > started + 50_000 * (attempt + 1):
                grown.set()
            time.sleep(0.001)
        process.kill()
        process.wait()
        assert grown.is_set()
        found = verify_journal(audit_files(tmp_path), "site-a", [], KEYS)
        assert found.flaw is None, json.dumps(str(found.flaw))
    assert found.records > 500


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.jsonl")) if folder.is_dir() else 0
