from itertools import pairwise

import pytest

from edgemind.domain.swarm.signing import FleetKeys
from edgemind.errors import PermanentError

BODY = b'{"v":1}'


def test_what_one_site_signs_another_accepts() -> None:
    assert FleetKeys(["secret"]).flaw(FleetKeys(["secret"]).sign(BODY), BODY) is None


@pytest.mark.parametrize(
    ("signature", "body", "flaw"),
    [
        (None, BODY, "not signed"),
        ("", BODY, "not signed"),
        ("nonsense", BODY, "none of ours"),
        (FleetKeys(["other"]).sign(BODY), BODY, "none of ours"),
        (FleetKeys(["secret"]).sign(BODY), BODY + b" ", "does not fit"),
        (FleetKeys(["secret"]).sign(BODY)[:-1], BODY, "does not fit"),
        (FleetKeys(["secret"]).sign(BODY).partition(":")[0] + ":", BODY, "does not fit"),
        (FleetKeys(["secret"]).sign(BODY).partition(":")[0] + ":\udcff\u00e9", BODY, "does not fit"),
    ],
)
def test_a_forged_signature_is_told_by_what_is_wrong_with_it(signature: str | None, body: bytes, flaw: str) -> None:
    assert flaw in (FleetKeys(["secret"]).flaw(signature, body) or "")


def test_the_key_is_not_the_secret_and_shows_nothing_of_it() -> None:
    keys = FleetKeys(["secret"])
    assert "secret" not in keys.sign(BODY) + repr(keys._accepted)


def test_through_a_rotation_each_step_accepts_the_one_before_and_after() -> None:
    steps = [["old"], ["old", "new"], ["new", "old"], ["new"]]
    for before, after in pairwise(steps):
        for sender, receiver in ((before, after), (after, before)):
            assert FleetKeys(receiver).flaw(FleetKeys(sender).sign(BODY), BODY) is None
    # What the procedure is for: without the overlap there is none.
    assert FleetKeys(["new"]).flaw(FleetKeys(["old"]).sign(BODY), BODY) is not None


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_signed_and_nothing_accepted(secrets: list[str]) -> None:
    with pytest.raises(PermanentError, match=r"fleet\.secret"):
        FleetKeys(secrets).sign(BODY)
    assert FleetKeys(secrets).flaw(FleetKeys(["secret"]).sign(BODY), BODY) is not None
