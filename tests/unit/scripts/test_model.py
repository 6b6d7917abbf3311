"""The model's runner: what it checks is what the writes and the page say, and it reads the verifier as it speaks."""

import shutil
from pathlib import Path

import pytest

from edgemind.adapters.swarm_store.rules import CONDITIONS
from edgemind.domain.swarm.roster import ChangeRoster
from edgemind.domain.swarm.writes import Claim, Decide, Genesis, OpenRound, PutBallot
from scripts.model import FOLDER, invariants, read_search, run, variants
from scripts.trouble import Trouble

ROOT = Path(__file__).resolve().parents[3]
WRITES = {OpenRound: "open", Decide: "decide", Claim: "claim", PutBallot: "ballot", Genesis: "genesis"}
"""ChangeRoster is not modelled: it is on an item of its own, and no round looks at that once it is open."""
ENDED = "State-vector 116 byte, depth reached 62, errors: {}\n {} states, stored\n{}"


def test_every_condition_of_every_write_has_its_mutant() -> None:
    conditions = {f"without_{WRITES[kind]}_{name}" for kind in WRITES for name in kind.conditions}  # type: ignore[attr-defined]
    assert conditions <= {variant.name for variant in variants(ROOT)}
    assert CONDITIONS.keys() == {*WRITES, ChangeRoster}


def test_what_mutants_break_are_invariants_of_the_model() -> None:
    names = invariants(ROOT)
    assert len(set(names.values())) == len(names)
    assert {variant.breaks for variant in variants(ROOT)} - {""} <= names.keys()


def test_every_mutant_that_the_model_knows_is_checked() -> None:
    text = (ROOT / FOLDER / "parameters.pml").read_text()
    known = {word for word in text.replace("(", " ").split() if word.startswith("without_")}
    assert {name.strip(",)") for name in known} == {
        variant.name for variant in variants(ROOT) if variant.name.startswith("without_")
    }


def test_the_page_lists_what_is_checked() -> None:
    page = (ROOT / FOLDER / "README.md").read_text()
    for variant in variants(ROOT):
        found = f"`{variant.breaks}`" if variant.breaks else "nothing"
        assert f"| `{variant.name}` | {found} | {variant.why} |" in page


def test_a_mutant_is_asked_about_its_own_invariant_only() -> None:
    by_name = {variant.name: variant for variant in variants(ROOT)}
    assert by_name["without_decide_round"].defines(invariants(ROOT)) == [
        "-DMUTANT=without_decide_round",
        "-DROUNDS=2",
        "-DCHECKED=8",
    ]
    assert by_name["two rounds"].defines(invariants(ROOT)) == ["-DROUNDS=2", "-DCOPIES=0"]


def test_a_search_is_whole_only_if_it_came_to_its_end() -> None:
    assert read_search(ENDED.format(0, "1.2e+07", "")) == (0, 12_000_000, True)
    assert read_search(ENDED.format(1, "293", "")) == (1, 293, True)
    assert read_search("pan: out of memory\n" + ENDED.format(0, "293", ""))[2] is False
    assert read_search("error: max search depth too small\n" + ENDED.format(0, "293", ""))[2] is False


def test_a_verifier_that_stopped_is_trouble() -> None:
    with pytest.raises(Trouble, match="stopped before its end: Killed"):
        read_search("Depth= 86\nKilled")


def test_without_spin_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Trouble, match=r"no spin.*apt-get install spin gcc"):
        run(ROOT, [])


def test_a_variant_that_does_not_exist_is_answered_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for tool in ("spin", "gcc"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Trouble, match=r"no variant 'all'; there are: one round, "):
        run(ROOT, ["all"])


@pytest.mark.skipif(not (shutil.which("spin") and shutil.which("gcc")), reason="there is no spin, or no gcc")
@pytest.mark.engine
@pytest.mark.slow
def test_a_mutant_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    """All variants are checked by `./run model`, which `./run ci` runs."""
    assert run(ROOT, ["without_claim_unclaimed"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("effect of 1.1") == 2
    assert "ONE_EXECUTION broken" in printed
