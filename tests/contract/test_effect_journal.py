"""What every `EffectJournal` keeps."""

from pathlib import Path

import pytest

from edgemind.adapters.effect_journal.json_file import JsonFileEffectJournal
from edgemind.adapters.effect_journal.memory import MemoryEffectJournal
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.scale_task import ScaleTask, Step
from edgemind.ports.effect_journal import EffectJournal

OLD = ScaleTask("org/m", 3, Fence(1, 7))
NEW = ScaleTask("org/m", 4, Fence(1, 8), before=2, base=1, step=Step.UNDO)


@pytest.fixture(params=["memory", "json"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> EffectJournal:
    return MemoryEffectJournal() if request.param == "memory" else JsonFileEffectJournal(tmp_path, "site-a")


def test_the_newest_task_of_each_model(journal: EffectJournal) -> None:
    other = ScaleTask("n", 2, Fence(1, 1), before=0, base=0, step=Step.DONE)
    for task in (OLD, NEW, other):
        journal.write(task)
    assert journal.read() == {"org/m": NEW, "n": other}


def test_a_late_writer_does_not_bring_back_an_earlier_decision(journal: EffectJournal) -> None:
    journal.write(NEW)
    journal.write(OLD)
    assert journal.read() == {"org/m": NEW}


def test_what_is_forgotten_is_gone_and_may_be_forgotten_twice(journal: EffectJournal) -> None:
    journal.write(NEW)
    journal.forget("org/m")
    journal.forget("org/m")
    assert journal.read() == {}


def test_a_file_outlives_its_process(tmp_path: Path) -> None:
    JsonFileEffectJournal(tmp_path, "site-a").write(NEW)
    assert JsonFileEffectJournal(tmp_path, "site-a").read() == {"org/m": NEW}
    assert JsonFileEffectJournal(tmp_path, "site-b").read() == {}
