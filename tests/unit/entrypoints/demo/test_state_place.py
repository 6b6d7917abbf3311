"""Where a demo keeps its state: what the flags and the environment mean."""

import pytest

from edgemind.entrypoints.demo.state_place import StatePlace, state_place
from edgemind.errors import ConfigurationError

LOCAL = "http://127.0.0.1:8000"


def test_files_unless_a_table_is_asked_for() -> None:
    place = state_place("json", None, {"AWS_ENDPOINT_URL_DYNAMODB": LOCAL})
    assert place == StatePlace()
    assert place.group("state") == {"store": "json", "directory": "state"}
    assert place.aws() == {}


@pytest.mark.parametrize(
    ("flag", "environ"),
    [
        (LOCAL, {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"}),
        (None, {"AWS_ENDPOINT_URL_DYNAMODB": LOCAL, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        (None, {"AWS_ENDPOINT_URL": LOCAL}),
    ],
)
def test_the_flag_comes_first_then_the_services_own_variable(flag: str | None, environ: dict[str, str]) -> None:
    place = state_place("dynamodb", flag, environ)
    assert place.group("state")["endpoint_url"] == LOCAL
    assert place.aws() == {"aws": {"region": "eu-central-1"}}


@pytest.mark.parametrize(
    ("store", "flag", "says"), [("json", LOCAL, "files have no address"), ("dynamodb", None, "AWS")]
)
def test_what_makes_no_sense_is_refused(store: str, flag: str | None, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        state_place(store, flag, {})
