"""Which fleet token a person has who signed in with an identity provider: a JSON file, whose person -> token file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboard.connection import read_token
from dashboard.trouble import FleetTrouble


@dataclass(frozen=True, slots=True)
class Person:
    """`email` is an address that the provider vouches for; `subject` is ISSUER#SUBJECT, the provider's own name."""

    email: str | None
    subject: str | None

    def __str__(self) -> str:
        return self.email or self.subject or "nobody"


def person_of(claims: Mapping[str, object]) -> Person:
    """An address that its owner never proved may be anybody's; a provider that does not say so did not look."""
    email, verified = claims.get("email"), str(claims.get("email_verified")).casefold() == "true"
    issuer, subject = claims.get("iss"), claims.get("sub")
    return Person(str(email) if email and verified else None, f"{issuer}#{subject}" if issuer and subject else None)


def token_of(person: Person, people: Path) -> str:
    """`people` holds {"alice@example.org": "operator.token"}, or {"ISSUER#SUBJECT": ...} where the provider vouches for
    no address; paths are relative to it. Raises FleetTrouble.

    OSError and JSONDecodeError if `people` itself cannot be read.
    """
    document = json.loads(people.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise FleetTrouble(
            "The file of people is damaged", f'{people} should hold {{"NAME@EXAMPLE.ORG": "TOKEN-FILE"}}.'
        )
    token_file = _named(document, person)
    if not isinstance(token_file, str):
        why = "" if person.email else " Your identity provider vouches for no address of yours."
        raise FleetTrouble(
            "You are not known to this fleet", f"{people} names no token for {person}.{why} Ask who runs this page."
        )
    return read_token(people.parent / token_file)


def _named(document: Mapping[str, object], person: Person) -> object:
    """Addresses are the same in any case, subjects are not."""
    if person.email is not None:
        by_address = {name.casefold(): value for name, value in document.items()}
        found = by_address.get(person.email.casefold())
        if found is not None:
            return found
    return document.get(person.subject) if person.subject is not None else None
