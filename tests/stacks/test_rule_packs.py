"""The five rule packs, and that each finding we live with is a real one, told in a sentence, and none too many."""

import json
import re

import pytest

from stacks.acknowledgements import ACKNOWLEDGEMENTS, ANNOTATION, NIST, SOLUTIONS
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import Assembly, run_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PACKS = {SOLUTIONS, NIST, "HIPAA.Security", "Serverless", "PCI.DSS.321"}
MOST_ACKNOWLEDGEMENTS = 40


Reports = dict[str, dict[str, set[str]]]
Found = dict[str, Reports]


def warnings(assembly: Assembly) -> dict[str, set[str]]:
    """What the CDK itself warns of: construct paths by id."""
    found: dict[str, set[str]] = {}
    for file in assembly.path.glob("*.metadata.json"):
        for path, entries in json.loads(file.read_text(encoding="utf-8")).items():
            for entry in entries:
                if entry["type"] == "aws:cdk:warning":
                    (rule,) = re.findall(r"\[ack: (.+?)\]", entry["data"])
                    found.setdefault(ANNOTATION + rule, set()).add(path.removeprefix("/"))
    return found


def reports(assembly: Assembly) -> Reports:
    """Of each pack the construct paths it complains of, by rule."""
    report = json.loads((assembly.path / "validation-report.json").read_text(encoding="utf-8"))
    return {
        pack["pluginName"]: {
            violation["ruleName"]: {found["constructPath"] for found in violation["violatingConstructs"]}
            for violation in pack["violations"]
        }
        for pack in report["pluginReports"]
    }


@pytest.fixture(scope="session")
def unacknowledged(needed: None, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the packs say of each environment if nothing is acknowledged."""
    found = {}
    for environment in ENVIRONMENTS:
        path = tmp_path_factory.mktemp(f"{environment}-unacknowledged") / "cdk.out"
        run_app(path, {"env": environment}, script="tests/stacks/unacknowledged_app.py")
        found[environment] = {**reports(Assembly(path)), "the CDK": warnings(Assembly(path))}
    return found


def test_no_pack_finds_anything_open(synthesized: Synthesized, tier: str) -> None:
    assert {pack: rules for pack, rules in reports(synthesized(tier)).items() if pack in PACKS and rules} == {}


def test_the_cdk_warns_of_nothing(synthesized: Synthesized, tier: str) -> None:
    assert warnings(synthesized(tier)) == {}


def test_without_acknowledgements_every_pack_finds_something(unacknowledged: Found) -> None:
    """The report leaves out a pack that is content: this tells that all five are asked, about each environment."""
    for environment, packs in unacknowledged.items():
        assert packs.keys() >= PACKS, environment
        assert all(packs[pack] for pack in PACKS), environment


def test_acknowledgements_are_few_and_have_reasons() -> None:
    assert len(ACKNOWLEDGEMENTS) <= MOST_ACKNOWLEDGEMENTS
    for acknowledgement in ACKNOWLEDGEMENTS:
        assert len(acknowledgement.reason.split()) >= 10, acknowledgement
        assert acknowledgement.where not in (".*", ".+"), "the narrowest scope"
        assert not any(re.search(r"IAM[45]$", rule) for rule in acknowledgement.rules), "name the policy or resource"


def test_no_acknowledgement_is_idle(unacknowledged: Found) -> None:
    """Each rule of each entry is found under its construct in some environment; what was mended must leave the list."""
    idle = []
    for acknowledgement in ACKNOWLEDGEMENTS:
        for rule in acknowledgement.rules:
            pattern = re.sub(r"\\\{\w+\\\}", "[a-z0-9-]+", re.escape(rule))
            if not any(
                re.fullmatch(pattern, found) and any(_under(acknowledgement.where, environment, path) for path in paths)
                for environment, packs in unacknowledged.items()
                for rules in packs.values()
                for found, paths in rules.items()
            ):
                idle.append((acknowledgement.where, rule))
    assert idle == []


def _under(where: str, environment: str, path: str) -> bool:
    return re.match(rf"(?:{where})(?:/|$)", path.removeprefix(f"{environment}-")) is not None
