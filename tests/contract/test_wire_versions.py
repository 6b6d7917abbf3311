"""What every earlier version wrote is read, and what a later one adds is ignored.

The frozen forms are in tests/fixtures/wire/; tests/support/wire_samples.py tells how a new one is added.
"""

import json
from typing import Any

import pytest

from tests.support.wire_samples import FIXTURES, SAMPLES

FROZEN = sorted(f"{file.parent.name}/{file.stem}" for file in FIXTURES.glob("*/*.json"))
BY_NAME = {"ballots", "claims", "loads", "measured", "models", "refuted", "rtt_ms", "suspects", "tally", "votes"}
"""Fields whose object has names of sites and the like, which nobody can add to without meaning a site."""


def frozen(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return document


def sample(name: str) -> Any:
    return SAMPLES[name.partition("/")[2]]


def added_to(value: Any, *, named: bool = False) -> Any:
    """As a later version might write it: one more field in every object, one more part to every stored candidate."""
    if isinstance(value, list):
        parts = [added_to(each) for each in value]
        return [*parts, {"of": "later"}] if len(value) == 5 and value[0] in ("keep", "shift", "scale_out") else parts
    if isinstance(value, dict):
        fields = {name: added_to(each, named=name in BY_NAME) for name, each in value.items()}
        return fields if named else {**fields, "a_later_field": {"of": ["a", "later", "version"]}}
    return value


def holds(written: Any, old: Any) -> bool:
    """Whether all of an old document is in one written today."""
    if isinstance(old, dict):
        return isinstance(written, dict) and all(holds(written.get(name), each) for name, each in old.items())
    if isinstance(old, list):
        return isinstance(written, list) and len(old) <= len(written) and all(map(holds, written, old))
    return bool(written == old)


def test_every_version_froze_every_kind_that_it_had() -> None:
    """Of the newest nothing is missing."""
    newest = max(name.partition("/")[0] for name in FROZEN)
    assert {name.partition("/")[2] for name in FROZEN if name.startswith(newest)} == SAMPLES.keys()


@pytest.mark.parametrize("name", [name for name in FROZEN if not name.endswith("kept_round")])
def test_what_an_earlier_version_wrote_means_the_same(name: str) -> None:
    assert sample(name).read(frozen(name)) == sample(name).value


@pytest.mark.parametrize("name", FROZEN)
def test_what_a_later_version_adds_is_ignored(name: str) -> None:
    document = frozen(name)
    later = added_to(document)
    assert later != document
    assert sample(name).read(later) == sample(name).read(document)


@pytest.mark.parametrize("name", FROZEN)
def test_what_is_written_today_has_all_that_an_earlier_version_reads(name: str) -> None:
    document = frozen(name)
    today = json.loads(json.dumps(sample(name).write(sample(name).read(document))))
    assert holds(today, document)
