"""One member, spoken to line by line: `dialogues/*.txt` say what it must answer."""

from pathlib import Path

import pytest

from tests.unit.domain.swarm.builders import Dialogue

SCRIPTS = sorted((Path(__file__).parent / "dialogues").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_member_answers_as_written(script: Path) -> None:
    said = 0
    for event, expected, effects in Dialogue(script.read_text(encoding="utf-8")).run():
        assert effects == expected, f"after {event!r}"
        said += 1
    assert said > 0
