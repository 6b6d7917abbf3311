"""`edgemind sites invite|join|remove` before anything is asked, and what they say; tests/integration has them asked."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.exit_codes import Refused
from edgemind.entrypoints.fleet_client import FleetClient

FLEET = ("--fleet", "http://127.0.0.1:1", "--token", "t")
TOLD: dict[str, Any] = {"metro": "demo", "version": 4, "members": ["site-a", "site-n"], "config": {"version": 1}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[tuple[str, ...], object, dict[str, int]]]:
    """What was posted; every post is answered with TOLD, in a folder that holds a site's declaration."""
    posts: list[tuple[tuple[str, ...], object, dict[str, int]]] = []

    def post(_: FleetClient, *segments: str, body: object = None, **query: int) -> dict[str, Any]:
        posts.append((segments, body, query))
        return {**TOLD, "site": "site-n", "token": "ej_secret", "expires_ms": 1_767_225_600_000}

    monkeypatch.setattr(FleetClient, "post", post)
    monkeypatch.chdir(tmp_path)
    Path("site.yaml").write_text("{name: site-n, gateway: 'http://n:1'}", encoding="utf-8")
    return posts


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["sites", *arguments, *FLEET])


@pytest.mark.parametrize(("ttl", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800)])
def test_an_invitation_says_its_token_for_whom_and_until_when(asked: list[Any], ttl: str, seconds: int) -> None:
    answer = run("invite", "site-n", "--ttl", ttl)
    assert answer.exit_code == 0, answer.output
    assert asked == [(("sites", "site-n", "invite"), None, {"ttl_s": seconds})]
    assert answer.stdout.startswith("ej_secret\n\nFor site-n, once, until 2026-01-01 00:00:00 UTC.")


@pytest.mark.parametrize("ttl", ["soon", "1w", "-1h", "1.5h", ""])
def test_what_is_no_duration_is_told_so(asked: list[Any], ttl: str) -> None:
    answer = run("invite", "site-n", "--ttl", ttl)
    assert answer.exit_code == 2
    assert "write one such as 30m, 1h or 2d" in answer.stderr
    assert asked == []


def test_a_site_that_joined_is_told_what_to_do_and_its_configuration_is_written_once(asked: list[Any]) -> None:
    answer = run("join", "--site-file", "site.yaml", "--write", "edgemind.yaml")
    assert answer.exit_code == 0, answer.output
    sent = {"token": "t", "declaration": {"name": "site-n", "gateway": "http://n:1"}}
    assert asked == [(("join",), sent, {})]
    assert "site-n is a member of demo (roster version 4: site-a, site-n)" in answer.stdout
    assert "fleet.secret beside edgemind.yaml; it is never sent" in answer.stdout
    assert yaml.safe_load(Path("edgemind.yaml").read_text(encoding="utf-8")) == {"version": 1}

    again = run("join", "--site-file", "site.yaml", "--write", "edgemind.yaml")
    assert again.exit_code == 2
    assert "edgemind.yaml exists; name a new file" in again.stderr
    assert len(asked) == 1


def test_without_a_place_the_configuration_is_shown(asked: list[Any]) -> None:
    answer = run("join", "--site-file", "site.yaml")
    assert answer.stdout.endswith("\n\nversion: 1\n")


def test_a_place_that_cannot_be_written_is_no_lost_join(asked: list[Any]) -> None:
    answer = run("join", "--site-file", "site.yaml", "--write", "no/folder/edgemind.yaml")
    assert answer.exit_code == Refused.exit_code
    assert "the site has joined: ask again" in answer.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read (no such file or directory)"),
        ("- a list", "should hold one site"),
        ("{", "is no YAML"),
        ("x: " + "y" * 70_000, "exceeds 65536 bytes"),
    ],
)
def test_a_site_file_that_holds_no_site_is_told_so(asked: list[Any], content: str | None, complaint: str) -> None:
    if content is not None:
        Path("bad.yaml").write_text(content, encoding="utf-8")
    answer = run("join", "--site-file", "bad.yaml")
    assert answer.exit_code == 2
    assert complaint in answer.stderr
    assert asked == []


def test_a_removal_says_what_is_left(asked: list[Any]) -> None:
    answer = run("remove", "site-b")
    assert asked == [(("sites", "site-b", "remove"), None, {})]
    assert "site-b is no member of demo any more (roster version 4: site-a, site-n)" in answer.stdout
