"""`edgemind audit` on journals in a folder, as an operator runs it."""

import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.bootstrap import open_state_store
from edgemind.bootstrap.audit import open_audit_journal
from edgemind.domain.audit.entries import AuditEntry
from edgemind.entrypoints.cli import cli
from edgemind.settings import load_settings
from tests.support.audit_journals import action, decision, entries
from tests.unit.settings_example import EXAMPLE, SECRETS, write_example


@dataclass
class Place:
    folder: Path
    config: Path

    def write(self, told: list[AuditEntry], where: str = "site-a") -> None:
        settings = load_settings(self.config, SECRETS)
        journal = open_audit_journal(settings, where, open_state_store(settings))
        for entry in told:
            journal.record(entry)
        journal.close()

    def journal(self, site: str) -> Path:
        return self.folder / ".edgemind/journal" / site

    def run(self, *arguments: str) -> Result:
        environ = {**SECRETS, "EDGEMIND_CONFIG": str(self.config)}
        return CliRunner().invoke(cli, ["audit", *arguments], env=environ)

    def json(self, *arguments: str, code: int = 0) -> Any:
        answer = self.run(*arguments, "-o", "json")
        assert answer.exit_code == code, answer.output
        return json.loads(answer.stdout)

    @property
    def segment(self) -> Path:
        return min(self.journal("site-a").glob("*.jsonl"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, write_example(tmp_path, EXAMPLE))


def test_verify_tells_what_there_is(place: Place) -> None:
    place.write(entries(9))
    told = place.json("verify")
    (one,) = told["journals"]
    assert (told["ok"], one["site"], one["records"], one["anchored"]) == (True, "site-a", 10, 10)
    assert one["signatures_checked"]
    text = place.run("verify").stdout
    assert "site-a: 10 records 1 to 10" in text
    assert text.endswith("All is well.\n")


def test_verify_names_the_first_bad_record(place: Place) -> None:
    place.write(entries(9))
    place.segment.write_bytes(place.segment.read_bytes().replace(b"acme", b"emca"))
    told = place.json("verify", code=1)
    assert told["journals"][0]["flaw"]["kind"] == "edited"
    assert told["journals"][0]["flaw"]["place"] == "0000000000000001.jsonl:3"
    assert "EDITED: record 3" in place.run("verify").stdout


def test_a_journal_that_is_gone_altogether_is_missed(place: Place) -> None:
    place.write(entries(3))
    place.write([action(1)], "site-b")
    shutil.rmtree(place.journal("site-b"))
    for command in ("verify", "residency"):
        assert place.json(command, code=1)["missing"] == ["site-b"]
        assert place.json(command, "--site", "site-b", code=1)["missing"] == ["site-b"]
        assert place.json(command, "--site", "site-a")["missing"] == []
        assert place.json(command, "--journal", str(place.journal("site-a")))["missing"] == []
        assert "site-b: MISSING" in place.run(command).stdout
        assert place.run(command, "--site", "site-c").exit_code == 2
    shutil.rmtree(place.journal("site-a"))
    assert place.json("verify", code=1)["missing"] == ["site-a", "site-b"]
    shutil.rmtree(place.folder / ".edgemind/journal")
    assert place.json("residency", code=1)["missing"] == ["site-a", "site-b"]


def test_a_journal_that_is_gone_is_accepted(place: Place) -> None:
    place.write(entries(3))
    place.write([action(1)], "site-b")
    shutil.rmtree(place.journal("site-b"))
    assert place.json("accept", "--site", "site-b", "--reason", "its disk broke")["site"] == "site-b"
    assert place.json("verify")["missing"] == []
    (accepted,) = place.json("list", "--kind", "admin_action", "--subject", "operator:root")
    assert (accepted["body"]["action"], accepted["body"]["reason"]) == ("audit accept", "its disk broke")


def test_a_journal_that_was_put_aside_is_named_and_its_requests_are_not_proven(place: Place) -> None:
    place.write([decision(1)])
    shutil.copytree(place.journal("site-a"), place.journal("site-a.aside-1"))
    told = place.json("verify")
    assert (told["ok"], told["aside"], len(told["journals"])) == (True, ["site-a.aside-1"], 1)
    assert "site-a.aside-1: PUT ASIDE" in place.run("verify").stdout
    assert place.json("residency", code=1)["aside"] == ["site-a.aside-1"]
    place.write([decision(2)], "site-b")
    assert place.json("residency", "--site", "site-b")["aside"] == []
    (copied,) = place.journal("site-a.aside-1").glob("*.jsonl")
    shutil.rmtree(place.journal("site-a"))
    store = open_state_store(load_settings(place.config, SECRETS))
    copied.write_bytes(b"".join(copied.read_bytes().splitlines(keepends=True)[:-1]))
    place.write([decision(1)])
    assert len([one for one in store.audit_anchors() if one.site == "site-a"]) == 2
    (alone,) = place.json("verify", "--journal", str(place.journal("site-a.aside-1")), code=1)["journals"]
    assert (alone["site"], alone["flaw"]["kind"]) == ("site-a", "cut_tail")


def test_what_no_anchor_was_compared_with_is_told_and_proves_no_residency(place: Place) -> None:
    place.write([decision(1)])
    place.write([decision(2)], "site-b")
    assert place.json("residency")["proven"]
    store = open_state_store(load_settings(place.config, SECRETS))
    (anchor,) = [one for one in store.audit_anchors() if one.site == "site-b"]
    store.remove_audit_anchor("site-b", anchor.chain)
    told = place.json("verify")
    assert (told["ok"], told["anchored"], [one["anchored"] for one in told["journals"]]) == (True, False, [2, 0])
    text = place.run("verify").stdout
    assert text.count("no anchor was compared") == 1
    assert "All is well" not in text
    assert [one["anchored"] for one in place.json("residency", code=1)["journals"]] == [2, 0]
    assert "no anchor was compared" in place.run("residency").stdout
    assert place.json("residency", "--site", "site-a")["proven"]


def test_of_a_store_that_other_machines_write_to_missing_journals_are_not_looked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(entries(3))
    place.write([action(1)], "site-b")
    shutil.rmtree(place.journal("site-b"))
    monkeypatch.setattr("edgemind.entrypoints.audit.comparing.is_shared", lambda settings: True)
    for command in ("verify", "residency"):
        told = place.json(command)
        assert (told["missing"], told["looked_for_missing"]) == ([], False)
        assert "Whether others are missing was not looked at" in place.run(command).stdout
    assert place.run("verify", "--site", "site-b").exit_code == 2


def test_an_export_can_be_verified_elsewhere(place: Place, tmp_path: Path) -> None:
    place.write(entries(5))
    target = tmp_path / "out.tar.gz"
    assert place.json("export", str(target))["anchors"] == 1
    assert place.run("export", str(target)).exit_code == 2
    elsewhere = tmp_path / "elsewhere"
    with tarfile.open(target) as archive:
        archive.extractall(elsewhere, filter="data")
    there = ("--journal", str(elsewhere / "journal"), "--anchors", str(elsewhere / "anchors.jsonl"))
    where = ("verify", *there)
    assert place.json(*where)["journals"][0]["anchored"] == 6
    assert place.json("residency", *there)["proven"]
    anchors = elsewhere / "anchors.jsonl"
    anchors.write_bytes(b"torn\n" + anchors.read_bytes())
    assert (told := place.json(*where))["ok"]
    assert told["damaged_anchors"][0].startswith(f"{anchors}:1 is no checkpoint")
    assert "is no checkpoint" in place.run(*where).stdout
    copied = elsewhere / "journal/site-a/0000000000000001.jsonl"
    copied.write_bytes(b"".join(copied.read_bytes().splitlines(keepends=True)[:-1]))
    assert place.json(*where, code=1)["journals"][0]["flaw"]["kind"] == "cut_tail"
    shutil.rmtree(elsewhere / "journal/site-a")
    assert place.json(*where, code=1)["missing"] == ["site-a"]


def test_residency_is_proven_or_its_violations_are_named(place: Place) -> None:
    place.write([decision(1), decision(2, residency=["fr"], ran={"site-b": ["fr"]})])
    assert place.json("residency")["journals"][0]["tagged"] == 2
    assert "Proven: every request that had to stay in de" in place.run("residency", "--zone", "de").stdout
    place.write([decision(3, ran={"site-c": ["us"]})])
    told = place.json("residency", "--zone", "de", code=1)
    assert told["journals"][0]["violations"][0]["site"] == "site-c"
    assert "was at site-c (us)" in place.run("residency").stdout
    assert place.json("residency", "--zone", "fr")["proven"]


def test_a_residency_that_was_not_kept_is_not_proven(place: Place) -> None:
    settings = load_settings(place.config, SECRETS)
    journal = open_audit_journal(settings, "site-a", open_state_store(settings))
    journal.lost(tagged=2, sampled=0)
    journal.close()
    assert place.json("residency", code=1)["journals"][0]["lost_tagged"] == 2
    assert "2 requests with a residency were not kept" in place.run("residency").stdout


def test_entries_are_listed_and_shown(place: Place) -> None:
    place.write(entries(9))
    told = place.json("list", "--kind", "decision", "--limit", "2")
    assert [one["record"] for one in told] == ["site-a/9", "site-a/10"]
    assert place.json("list", "--since", "2024-01-01", "--kind", "decision") == []
    assert "admin_action" in place.run("list").stdout
    shown = json.loads(place.run("show", str(decision(4).body["id"])).stdout)
    assert (shown["subject"], shown["personal"]["tenant"]) == ("tenant:acme", "acme")
    assert json.loads(place.run("show", shown["record"]).stdout) == shown
    assert place.run("show", "site-a/99").exit_code == 1
    assert place.run("list", "--since", "yesterday").exit_code == 2


def test_no_journal_is_wrong_usage(place: Place) -> None:
    assert place.run("verify").exit_code == 2
    assert place.run("verify", "--journal", str(place.folder / "nothing")).exit_code == 2


def test_without_the_secret_the_chain_is_verified_and_the_signatures_are_not(place: Place) -> None:
    place.write(entries(3))
    (place.folder / "fleet.secret").unlink()
    told = place.json("verify")["journals"][0]
    assert (told["signatures_checked"], told["anchored"]) == (False, 4)


def test_keys_are_kept_with_who_made_them(place: Place) -> None:
    environ = {**SECRETS, "EDGEMIND_CONFIG": str(place.config)}
    made = CliRunner().invoke(cli, ["keys", "create", "--tenant", "demo", "-o", "json"], env=environ)
    assert (made.exit_code, made.stderr) == (0, "")
    key = json.loads(made.stdout)
    (kept,) = place.json("list", "--kind", "admin_action")
    assert kept["body"] == {
        "action": "keys create", "tenant": "demo", "key": key["id"], "role": "host", "outcome": "done",
    }  # fmt: skip
    assert kept["record"].startswith("cli-")
    assert key["key"] not in json.dumps(kept)
    assert place.json("verify")["ok"]
