"""Which token a person has who signed in."""

import json
from pathlib import Path

import pytest

from dashboard.people import token_of
from dashboard.trouble import FleetTrouble


@pytest.fixture
def people(tmp_path: Path) -> Path:
    (tmp_path / "operator.token").write_text("act\n")
    path = tmp_path / "people.json"
    path.write_text(
        json.dumps({"Alice@Example.org": "operator.token", "bob@example.org": 5, "eve@example.org": "gone"})
    )
    return path


def test_a_person_is_known_by_the_address_in_any_case(people: Path) -> None:
    assert token_of("alice@example.ORG", people) == "act"


@pytest.mark.parametrize(
    ("email", "said"),
    [("mallory@example.org", "not known"), ("bob@example.org", "not known"), ("eve@example.org", "cannot be read")],
)
def test_who_has_no_token_is_told_so(people: Path, email: str, said: str) -> None:
    with pytest.raises(FleetTrouble) as raised:
        token_of(email, people)
    assert said in raised.value.headline


def test_a_file_that_names_nobody_is_told(people: Path) -> None:
    people.write_text("[]")
    with pytest.raises(FleetTrouble, match="should hold"):
        token_of("alice@example.org", people)
