"""Which fleet token a person has who signed in with an identity provider: a JSON file, e-mail address -> token file."""

import json
from pathlib import Path

from dashboard.connection import read_token
from dashboard.trouble import FleetTrouble


def token_of(email: str, people: Path) -> str:
    """`people` holds {"alice@example.org": "operator.token"}; paths are relative to it. Raises FleetTrouble.

    OSError and JSONDecodeError if `people` itself cannot be read.
    """
    document = json.loads(people.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise FleetTrouble(
            "The file of people is damaged", f'{people} should hold {{"NAME@EXAMPLE.ORG": "TOKEN-FILE"}}.'
        )
    known = {str(name).casefold(): value for name, value in document.items()}
    token_file = known.get(email.casefold())
    if not isinstance(token_file, str):
        raise FleetTrouble(
            "You are not known to this fleet", f"{people} names no token for {email}. Ask who runs this page."
        )
    return read_token(people.parent / token_file)
