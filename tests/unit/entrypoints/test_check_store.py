"""`edgemind check store`: what it measures, what it makes of that, and that it writes nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgemind import bootstrap
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.writes import Genesis
from edgemind.entrypoints import check_store
from edgemind.entrypoints.cli import cli
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.ports.swarm_store import CurrentRound, OutcomeUnknown
from edgemind.services.rounds.measure_store import WARM_UP_CALLS, measure_store
from tests.support.clocks import ManualClock

SITES = ", ".join(
    f"{{name: {name}, models: [{{name: m, base_url: 'http://x:1', slots: 8, service_ms: 9}}]}}" for name in "abc"
)
CONFIG = f"version: 1\nauth: off\nstate: {{store: json}}\nsites: [{SITES}]\n"


class FarStore(MemorySwarmStore):
    """Takes `store_ms` for each read, by a clock of its own. Every `lost`-th is unanswered."""

    def __init__(self, store_ms: float, lost: int = 0) -> None:
        super().__init__("test")
        super().genesis(Genesis())
        self.clock = ManualClock()
        self.reads = 0
        self._store_ms = store_ms
        self._lost = lost

    def read_current(self) -> CurrentRound:
        self.reads += 1
        self.clock.advance(self._store_ms / 1000)
        if self._lost and self.reads % self._lost == 0:
            raise OutcomeUnknown("no answer")
        return super().read_current()

    def genesis(self, write: Genesis) -> Applied | Refused:
        raise AssertionError("a check writes nothing")


class BrokenStore(FarStore):
    def __init__(self, error: Exception) -> None:
        super().__init__(1.0)
        self._error = error

    def read_current(self) -> CurrentRound:
        raise self._error


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "edgemind.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(check_store, "SEEDS", 4)
    return tmp_path


def asked(monkeypatch: pytest.MonkeyPatch, store: FarStore, *arguments: str) -> Result:
    monkeypatch.setattr(bootstrap, "open_swarm_store", lambda _: store)
    monkeypatch.setattr(check_store, "SystemClock", lambda: store.clock)
    return CliRunner().invoke(cli, ["check", "store", "--calls", "50", *arguments])


def test_calls_without_an_answer_are_counted_and_not_timed() -> None:
    store = FarStore(7.0, lost=10)
    times = measure_store(store, store.clock, 97)
    assert store.reads == WARM_UP_CALLS + 97
    assert (len(times.took_ms), times.unanswered, times.provisioned) == (87, 10, True)
    assert times.p50_ms == pytest.approx(7.0)


def test_a_metro_without_rounds_is_measured_too() -> None:
    store = MemorySwarmStore("test")
    assert measure_store(store, ManualClock(), 10).provisioned is False


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("store_ms", "code", "verdict"),
    [
        (5.0, 0, "rounds hold 100 ms, also while"),
        (14.0, 0, "WARNING: at 14.0 ms a call rounds hold 100 ms while all is well, and not while"),
        (40.0, 1, "WARNING: at 40.0 ms a call rounds cannot be decided within 100 ms"),
    ],
)
def test_what_a_round_trip_means(monkeypatch: pytest.MonkeyPatch, store_ms: float, code: int, verdict: str) -> None:
    store = FarStore(store_ms)
    before = store.read_current()
    told = asked(monkeypatch, store)
    assert told.exit_code == code
    assert f"p50 {store_ms:.2f} ms, p99 {store_ms:.2f} ms, 0 unanswered" in told.output
    assert "of 3 sites" in told.output
    assert store.read_current() == before
    assert verdict in told.output


@pytest.mark.usefixtures("folder")
def test_the_document_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(asked(monkeypatch, FarStore(40.0), "-o", "json", "--sites", "5").stdout)
    assert document["measured"] == {
        "calls": 50,
        "unanswered": 0,
        "p50_ms": pytest.approx(40.0),
        "p99_ms": pytest.approx(40.0),
        "provisioned": True,
    }
    assert document["holds"] is False
    assert document["simulated"]["sites"] == 5
    assert document["simulated"]["none"]["decided_ms"]["p50"] > 100


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("store", "code", "message"),
    [
        (BrokenStore(StoreUnavailable("there is no network")), 3, "there is no network"),
        (BrokenStore(StateCorrupt("deploy the table")), 1, "deploy the table"),
        (BrokenStore(OutcomeUnknown("late")), 3, "none of 50 reads of the swarm's store was answered in time"),
    ],
)
def test_a_store_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, store: BrokenStore, code: int, message: str
) -> None:
    told = asked(monkeypatch, store)
    assert (told.exit_code, message in told.output) == (code, True)


def test_a_memory_store_is_nobody_elses(folder: Path) -> None:
    (folder / "edgemind.yaml").write_text(CONFIG.replace("json", "memory"))
    told = CliRunner().invoke(cli, ["check", "store"])
    assert told.exit_code == 2
    assert "each process has its own" in told.output
