"""`edgemind rounds` against a served fleet API and on files: words, forms, exit codes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.adapters.round_journal.json_lines import JsonLinesRoundJournal
from edgemind.domain.swarm.history import RoundRecord, Step
from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.records import KEEP, Outcome
from edgemind.domain.swarm.voter import VotingPolicy
from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.rounds.explanation import explanation_text
from edgemind.entrypoints.rounds.page import page_text
from edgemind.services.rounds.keep_rounds import RoundKeeper
from tests.support.controllers import Metro, metro, site
from tests.support.recorded_world import RecordedWorld
from tests.support.round_records import SITES, effect, round_record, strands_vote
from tests.support.serving import free_port, served


@dataclass
class Shell:
    url: str

    def run(self, *arguments: str) -> Result:
        environment = {"EDGEMIND_FLEET_URL": None, "EDGEMIND_FLEET_TOKEN": None}
        where = ("--fleet", self.url, "--token", "look") if self.url else ()
        return CliRunner().invoke(cli, ["rounds", *arguments, *where], env=environment)

    def json(self, *arguments: str) -> Any:
        answer = self.run(*arguments, "-o", "json")
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    group = Metro(metro(*(site(name) for name in SITES)))
    for name in SITES:
        group.journals[name].keep(round_record(2, name, coordinator="site-b"))
    acting = round_record(3, "site-c")
    with_tools = round_record(3, "site-b")
    group.journals["site-a"].keep(round_record(3, "site-a"))
    group.journals["site-b"].keep(replace(with_tools, votes={"site-b": strands_vote(with_tools, "site-b")}))
    group.journals["site-c"].keep(replace(acting, effects=(effect(acting, "failed", "no slot is free"),)))
    group.rounds(1)
    rules = AccessRules({Role.VIEWER: "look"}, "between-sites")
    with served(controller_app(lambda: group.controllers["site-a"], lambda: rules)) as at:
        yield at


@pytest.fixture
def shell(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(url)


def test_rounds_are_listed_in_words(shell: Shell) -> None:
    lines = shell.run("list").stdout.splitlines()
    assert lines[0].split() == ["ROUND", "AGE", "BREACH", "OUTCOME", "DECIDED", "BALLOTS", "COORDINATOR", "EFFECTS"]
    assert [line.split()[0] for line in lines[1:]] == ["1.3", "1.2"]
    for said in ("llm at site-a", "shift 100 % of site-a's llm to site-c", "31.2 ms", "3/3", "site-c failed"):
        assert said in lines[1]
    assert "older: --cursor 1.3" in shell.run("list", "--limit", "1").stdout
    assert [one["fence"] for one in shell.json("list", "--cursor", "1.3")["rounds"]] == ["1.2"]


def test_one_round_is_a_page_with_everything(shell: Shell) -> None:
    page = shell.run("show", "1.3").stdout
    for said in (
        "as site-a tells it (its coordinator)", "31.2 ms after the confirmed breach", "3 of 3 ballots, quorum 2",
        "4 of site-a, 1 of them copies of slow ones", "site-b  4 > 5 > 3 > 1 > 2  12.0 ms", "decided",
        "strands", "no slot is free", "occupancy_ratio 3.5",
    ):  # fmt: skip
        assert said in page
    assert shell.run("show").stdout == page, "the last round, if none is named"
    assert shell.json("show", "1.3")["fence"] == "1.3"


def test_a_round_is_explained_as_a_person_would(shell: Shell) -> None:
    told = shell.run("explain", "1.3").stdout
    for said in (
        "site-a was about to miss its targets for llm (occupancy ratio 3.5)",
        "by 3 of 3 ballots (a quorum is 2): every site had voted",
        "no deputy had to take over",
        "library voter at site-c: shift 100 % of site-a's llm to site-c leaves 0.84 per slot, keep 1.4",
        'capacity asked site_loads(model="llm") in 1.2 ms: {"site-c": 0.5}',
        "failed: the journal is locked",
        "site-c: replicas of llm = 2: failed at fence 1.3 in 12.5 ms (no slot is free)",
    ):
        assert said in told
    document = shell.json("explain", "1.3")
    assert document["pressures"]["site-a"]["keep"] == pytest.approx(1.361, abs=0.001)
    assert document["round"]["fence"] == "1.3"


def test_a_round_replays_from_the_fleet_and_from_a_file(shell: Shell, tmp_path: Path) -> None:
    told = shell.run("replay", "1.3")
    assert (told.exit_code, told.stdout.splitlines()[-1]) == (0, "round 1.3 replays: 9 of 9 agree")
    file = tmp_path / "record.json"
    file.write_text(json.dumps(shell.json("show", "1.3")))
    alone = Shell("")
    assert alone.run("replay", "--file", str(file)).stdout == told.stdout
    assert alone.json("replay", "--file", str(file))["agrees"] is True
    assert alone.run("show", "--file", str(file)).stdout == shell.run("show", "1.3").stdout


def test_a_replay_that_differs_ends_with_1_and_shows_the_first_difference(shell: Shell, tmp_path: Path) -> None:
    document = shell.json("show", "1.3")
    document["outcome"]["candidate"] = document["candidates"][1]
    file = tmp_path / "record.json"
    file.write_text(json.dumps(document))
    told = shell.run("replay", "--file", str(file))
    assert told.exit_code == 1
    assert told.stdout.splitlines()[-3:] == [
        "round 1.3 does not replay: the outcome differs first",
        "  recorded  shift:site-b:site-a:llm:100",
        "  replayed  shift:site-c:site-a:llm:100",
    ]
    assert json.loads(shell.run("replay", "--file", str(file), "-o", "json").stdout)["agrees"] is False


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000])
def test_a_file_that_holds_no_round_is_wrong_usage(shell: Shell, tmp_path: Path, content: str) -> None:
    file = tmp_path / "record.json"
    file.write_text(content)
    answer = shell.run("replay", "--file", str(file))
    assert answer.exit_code == 2
    assert "rounds show ROUND -o json" in answer.stderr


def test_failures_have_the_documented_codes(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("show", "9.9").exit_code == 1
    assert shell.run("show", "nonsense").exit_code == 1
    assert Shell(f"http://127.0.0.1:{free_port()}").run("list").exit_code == 3
    assert Shell("").run("list").exit_code == 2, "no fleet is known"
    file = tmp_path / "record.json"
    file.write_text('{"v": 1}')
    assert shell.run("explain", "--file", str(file)).exit_code == 1


def test_a_swarm_without_rounds_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    group = Metro(metro(site("site-a")))
    with served(controller_app(lambda: group.controllers["site-a"], lambda: AccessRules({}, None))) as at:
        assert Shell(at).run("list").exit_code == 1, "a token that nobody knows"
        answer = CliRunner().invoke(cli, ["rounds", "list", "--fleet", at])
        assert answer.stdout == "The swarm has held no round yet.\n"
        assert CliRunner().invoke(cli, ["rounds", "explain", "--fleet", at]).exit_code == 1


@pytest.mark.parametrize("faults", ["none", "losses"])
def test_rounds_of_a_simulated_swarm_are_kept_told_explained_and_replayed(
    faults: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From real members to files, from files through controllers to the command line."""
    monkeypatch.chdir(tmp_path)
    world = RecordedWorld(3, 7, faults)
    world.run(4)
    names = sorted({recorded.site for recorded in world.recorded})
    for recorded in world.recorded:
        keeper = RoundKeeper(JsonLinesRoundJournal(tmp_path, recorded.site))
        for record in recorded.kept:
            keeper.keep(record)
        keeper.close()
    group = Metro(metro(*(site(name) for name in names)))
    for name in names:
        for record in JsonLinesRoundJournal(tmp_path, name).recent(500, None):
            group.journals[name].keep(record)
    group.rounds(1)
    rules = AccessRules({Role.VIEWER: "look"}, "between-sites")
    with served(controller_app(lambda: group.controllers[names[0]], lambda: rules)) as at:
        shell = Shell(at)
        listed = shell.json("list")["rounds"]
        assert [one["n"] for one in listed] == [4, 3, 2, 1]
        for one in listed:
            if faults == "none":
                assert one["decided_ms"] < 100
            told = shell.run("replay", one["fence"])
            assert told.exit_code == 0, told.output
            assert f"round {one['fence']} replays" in told.stdout
            assert one["told"] in shell.run("explain", one["fence"]).stdout.splitlines()[0]
            assert "steps of" in shell.run("show", one["fence"]).stdout


# Rounds that went another way


def keeping(record: RoundRecord, since_change_ms: float | None) -> RoundRecord:
    vote = record.votes["site-a"]
    ranking = (KEEP.id, *(one for one in vote.ranking if one != KEEP.id))
    view = replace(vote.view, since_change_ms=since_change_ms, policy=VotingPolicy(hysteresis_ratio=0.5))
    return replace(record, votes={"site-a": replace(vote, ranking=ranking, view=view)})


@pytest.mark.parametrize(
    ("since_change_ms", "why"),
    [(1200.0, "the last change was 1.2 s ago, and changes rest for 5.0 s"), (None, "takes away 50% of the pressure")],
)
def test_a_vote_for_keeping_says_why(since_change_ms: float | None, why: str) -> None:
    assert why in explanation_text(keeping(round_record(), since_change_ms), [])


def test_a_takeover_a_timeout_and_missing_sites_are_told() -> None:
    record = round_record(
        site="site-b", coordinator="site-b", opener=None, suspected=("site-c",), voters=("site-b",), tally={KEEP.id: 5},
        outcome=Outcome(KEEP, timed_out=True),
        steps=(Step("woken", 0.0), Step("took over", 35.0), Step("decided", 131.0)),
    )  # fmt: skip
    told = explanation_text(record, ["site-a"])
    assert "site-b, a deputy, took over 35.0 ms" in told
    assert "no quorum had voted when the time was over" in told
    assert "Suspected, and not waited for: site-c" in told
    assert "They decided nothing" in told
    assert "What site-a voted from and did is not known" in told
    page = page_text(record, ["site-a"])
    assert "the whole bar is 131 ms" in page
    assert {len(line.split("|")[1]) for line in page.splitlines() if "|" in line} == {50}


def test_a_round_without_an_outcome_is_told_with_its_cause() -> None:
    record = round_record(
        outcome=None, decided_ms=None, learned_ms=None, voters=(), tally={}, ended="the store is slow"
    )
    assert "There is no outcome: the store is slow." in explanation_text(record, [])
    assert "no outcome: the store is slow" in page_text(record, [])
    assert record_document(record)["outcome"] is None
