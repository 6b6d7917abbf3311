import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind import bootstrap
from edgemind.entrypoints.certs_commands import certs

CONFIG = """\
version: 1
metro: test
auth: off
fleet:
  secret: file:nowhere
  tls: {ca: certs/ca.pem, certificate: "certs/{site}.pem", key: "certs/{site}.key"}
sites:
  - {name: site-a, controller: "https://mec-a.example.org:8200", models: [MODEL]}
  - {name: site-b, controller: "https://127.0.0.1:8201", models: [MODEL]}
  - {name: theirs, models: [MODEL]}
""".replace("MODEL", '{name: m, base_url: "http://127.0.0.1:1", slots: 1, service_ms: 1}')


@pytest.fixture
def run(tmp_path: Path) -> Any:
    config, folder = tmp_path / "edgemind.yaml", tmp_path / "certs"
    config.write_text(CONFIG, encoding="utf-8")

    def invoke(command: str, *arguments: str) -> Result:
        options = ["--config", str(config), *([] if command == "check" else ["--folder", str(folder)])]
        return CliRunner().invoke(certs, [command, *options, *arguments])

    return invoke


def listed(run: Any) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(run("list", "-o", "json").output)}


def test_create_makes_what_is_missing_and_nothing_twice(run: Any, tmp_path: Path) -> None:
    first = run("create")
    assert first.exit_code == 0, first.output
    assert "keep the key away from the sites" in first.output
    assert {name: row["hosts"] for name, row in listed(run).items()} == {
        "ca": "", "site-a": "mec-a.example.org", "site-b": "127.0.0.1",
    }  # fmt: skip

    before = {path.name: path.read_bytes() for path in (tmp_path / "certs").iterdir()}
    (tmp_path / "certs" / "site-b.pem").unlink()
    assert "site-a.pem is there already" in run("create").output
    after = {path.name: path.read_bytes() for path in (tmp_path / "certs").iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"site-b.pem", "site-b.key"}


def test_check_connects_as_a_neighbour_would(run: Any, tmp_path: Path) -> None:
    run("create")
    good = run("check", "--site", "site-a")
    assert (good.exit_code, "good for 365 days" in good.output) == (0, True)

    for ending in ("pem", "key"):
        (tmp_path / "certs" / f"site-a.{ending}").write_bytes((tmp_path / "certs" / f"site-b.{ending}").read_bytes())
    wrong = run("check", "--site", "site-a")
    assert (wrong.exit_code, "mismatch" in wrong.output) == (2, True)


def test_a_certificate_of_another_site_at_the_same_host_is_found(run: Any, tmp_path: Path) -> None:
    config = tmp_path / "edgemind.yaml"
    config.write_text(CONFIG.replace("mec-a.example.org", "127.0.0.1"), encoding="utf-8")
    run("create")
    for ending in ("pem", "key"):
        (tmp_path / "certs" / f"site-a.{ending}").write_bytes((tmp_path / "certs" / f"site-b.{ending}").read_bytes())
    wrong = run("check", "--site", "site-a")
    assert (wrong.exit_code, "is not this site's" in wrong.output) == (2, True)


def test_one_that_ends_soon_fails_the_check_and_is_renewed(run: Any) -> None:
    run("create", "--days", "13")
    soon = run("check", "--site", "site-b")
    assert (soon.exit_code, "edgemind certs renew site-b" in soon.output) == (1, True)
    assert {row["standing"] for row in listed(run).values()} == {"good", "expiring"}

    assert "site-a.pem" in run("renew").output
    assert run("check", "--site", "site-b").exit_code == 0
    assert "none ends within 30 days" in run("renew").output


def test_named_sites_are_renewed_whenever_they_end(run: Any) -> None:
    run("create")
    before = listed(run)
    assert run("renew", "--days", "500", "site-a").exit_code == 0
    assert {name for name, row in listed(run).items() if row != before[name]} == {"site-a"}
    unknown = run("renew", "theirs")
    assert (unknown.exit_code, "no site with a controller is called 'theirs'" in unknown.output) == (2, True)


def test_without_the_library_it_says_how_to_get_it(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.accounts, "find_spec", lambda _: None)
    refused = run("create")
    assert (refused.exit_code, "edgemind-mec[certs]" in refused.output) == (2, True)


def test_a_fleet_without_tls_has_nothing_to_check(run: Any, tmp_path: Path) -> None:
    config = tmp_path / "edgemind.yaml"
    lines = [line for line in CONFIG.splitlines() if not line.startswith("  tls:")]
    config.write_text("\n".join(lines), encoding="utf-8")
    assert "has no fleet.tls" in run("check", "--site", "site-a").output
