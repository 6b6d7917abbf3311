"""Which fleet the page shows, and what it says when it knows none."""

import json
from pathlib import Path

import pytest

from dashboard.connection import Connection, Flags, find_control, find_fleet, read_flags
from dashboard.trouble import FleetTrouble
from edgemind.settings import ClientSettings, Secret

URL = "http://127.0.0.1:8200"
NOTHING = ClientSettings()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps({"url": URL, "token": "from-the-note"}))
    return path


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("from-a-file\n")
    return path


def test_flags_are_read() -> None:
    assert read_flags(["--fleet", URL, "--token-file", "t"]) == Flags(URL, Path("t"))
    assert read_flags([]) == Flags()


@pytest.mark.parametrize("arguments", [["--flete", URL], ["--fleet"], ["stray"]])
def test_a_wrong_flag_is_said_on_the_page_and_does_not_end_the_process(arguments: list[str]) -> None:
    with pytest.raises(FleetTrouble, match="--fleet URL --token-file FILE"):
        read_flags(arguments)


def test_flags_come_before_the_environment_and_that_before_the_note(note: Path, token_file: Path) -> None:
    environment = ClientSettings("http://other:1", Secret("env:T", "from-the-environment"))
    assert find_fleet(Flags(URL, token_file), environment, note) == Connection(URL, "from-a-file")
    assert find_fleet(Flags(), environment, note) == Connection("http://other:1", "from-the-environment")
    assert find_fleet(Flags(), NOTHING, note) == Connection(URL, "from-the-note")


def test_the_token_of_the_note_is_for_its_own_fleet_only(note: Path) -> None:
    assert find_fleet(Flags("http://other:1"), NOTHING, note).token is None
    assert find_fleet(Flags(URL + "/"), NOTHING, note) == Connection(URL, "from-the-note")


def test_without_any_fleet_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(FleetTrouble, match="edgemind demo") as raised:
        find_fleet(Flags(), NOTHING, tmp_path / "fleet.json")
    assert raised.value.headline == "No fleet is known here yet"


@pytest.mark.parametrize("url", ["127.0.0.1:8200", "ftp://x", "http://", "http://x:port", "http://[::1"])
def test_an_address_that_is_none_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(FleetTrouble, match="should look like"):
        find_fleet(Flags(url), NOTHING, tmp_path / "fleet.json")


@pytest.mark.parametrize("content", ["", "[]", '{"url": 5}', "\x00"])
def test_a_damaged_note_is_named(content: str, note: Path) -> None:
    note.write_text(content)
    with pytest.raises(FleetTrouble, match="Delete it"):
        find_fleet(Flags(), NOTHING, note)


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"\xff", "schlüssel".encode()])
def test_a_token_file_without_a_token_is_named(content: bytes, token_file: Path) -> None:
    token_file.write_bytes(content)
    with pytest.raises(FleetTrouble, match=str(token_file)):
        find_fleet(Flags(URL, token_file), NOTHING)


def test_a_connection_never_prints_its_token() -> None:
    assert "secret" not in repr(Connection(URL, "secret"))


def test_the_demos_control_is_for_the_demos_own_fleet_only(tmp_path: Path) -> None:
    note = tmp_path / "fleet.json"
    assert find_control(URL, note) is None
    note.write_text(json.dumps({"url": URL, "token": "t", "control": {"url": "http://127.0.0.1:8601", "token": "c"}}))
    assert find_control(URL + "/", note) == Connection("http://127.0.0.1:8601", "c")
    assert find_control("http://other:1", note) is None


@pytest.mark.parametrize(
    "document", ["", "[]", '{"url": 5}', '{"url": "x", "control": null}', '{"control": {"url": "x"}}']
)
def test_a_note_without_a_control_has_none(tmp_path: Path, document: str) -> None:
    note = tmp_path / "fleet.json"
    note.write_text(document)
    assert find_control(URL, note) is None
