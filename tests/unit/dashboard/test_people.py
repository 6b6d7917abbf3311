"""Which token a person has who signed in."""

import json
from pathlib import Path

import pytest

from dashboard.people import Person, person_of, token_of
from dashboard.trouble import FleetTrouble


@pytest.fixture
def people(tmp_path: Path) -> Path:
    (tmp_path / "operator.token").write_text("act\n")
    path = tmp_path / "people.json"
    path.write_text(
        json.dumps(
            {
                "Alice@Example.org": "operator.token",
                "bob@example.org": 5,
                "eve@example.org": "gone",
                "https://login.example.org/v2#Person-1": "operator.token",
            }
        )
    )
    return path


def test_a_person_is_known_by_the_address_in_any_case(people: Path) -> None:
    assert token_of(Person("alice@example.ORG", None), people) == "act"


def test_a_person_is_known_by_what_the_provider_calls_them(people: Path) -> None:
    claims = {"iss": "https://login.example.org/v2", "sub": "Person-1", "email": "alice@example.org"}
    assert token_of(person_of(claims), people) == "act"
    with pytest.raises(FleetTrouble, match=r"names no token for https://login\.example\.org/v2#person-1"):
        token_of(person_of({**claims, "sub": "person-1"}), people)


@pytest.mark.parametrize("verified", [True, "true"])
def test_an_address_is_a_persons_if_the_provider_vouches_for_it(verified: object) -> None:
    assert person_of({"email": "alice@example.org", "email_verified": verified}).email == "alice@example.org"


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "alice@example.org"},
        {"email": "alice@example.org", "email_verified": False},
        {"email": "alice@example.org", "email_verified": "false"},
        {"email": "alice@example.org", "email_verified": None},
        {"email": "alice@example.org", "email_verified": ["true"]},
        {"email": "", "email_verified": True},
        {"email_verified": True},
    ],
)
def test_any_other_address_is_nobodys(claims: dict[str, object], people: Path) -> None:
    person = person_of(claims)
    assert person.email is None
    with pytest.raises(FleetTrouble, match="vouches for no address"):
        token_of(person, people)


@pytest.mark.parametrize(
    ("email", "said"),
    [("mallory@example.org", "not known"), ("bob@example.org", "not known"), ("eve@example.org", "cannot be read")],
)
def test_who_has_no_token_is_told_so(people: Path, email: str, said: str) -> None:
    with pytest.raises(FleetTrouble) as raised:
        token_of(Person(email, None), people)
    assert said in raised.value.headline


def test_a_file_that_names_nobody_is_told(people: Path) -> None:
    people.write_text("[]")
    with pytest.raises(FleetTrouble, match="should hold"):
        token_of(Person("alice@example.org", None), people)
