"""cfn-lint and checkov on every template of both environments: nothing is found that is not explained."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.groups import CHECKOV
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized
from tests.stacks.scanner_exceptions import EXCEPTIONS, ScannerException
from tests.support.assemblies import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHECKOV_PYTHON = ROOT / ".venvs" / CHECKOV.name / "bin" / "python"


@pytest.fixture(scope="module")
def templates(synthesized: Synthesized, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every template of both environments: they are named by environment."""
    folder = tmp_path_factory.mktemp("templates")
    for environment in ENVIRONMENTS:
        for name, template in synthesized(environment).templates.items():
            (folder / f"{name}.template.json").write_text(json.dumps(template), encoding="utf-8")
    return folder


def test_cfn_lint_finds_only_what_its_configuration_explains(templates: Path) -> None:
    rules = yaml.safe_load((ROOT / ".cfnlintrc").read_text(encoding="utf-8"))
    command = [
        str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", "--regions", *rules["regions"],
        "--template", *map(str, sorted(templates.iterdir())),
    ]  # fmt: skip
    # Where no configuration is: what it ignores is to be seen, too.
    done = subprocess.run(command, cwd=templates, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    explained = set(rules["ignore_checks"])
    unexplained = [
        f"{Path(one['Filename']).name}: {one['Rule']['Id']} {one['Message']}"
        for one in found
        if one["Rule"]["Id"] not in explained
    ]
    assert unexplained == []
    assert {one["Rule"]["Id"] for one in found} == explained, "take out of .cfnlintrc what is not found any more"


@pytest.fixture(scope="module")
def failures(templates: Path) -> Sequence[dict[str, Any]]:
    """What checkov calls failed, of both environments."""
    if not CHECKOV_PYTHON.exists():
        pytest.skip("no checkov: `./run test` installs it")
    command = [
        str(CHECKOV_PYTHON), str(CHECKOV_PYTHON.with_name("checkov")), "--directory", str(templates),
        "--framework", "cloudformation", "--compact", "--quiet", "--output", "json", "--skip-download",
    ]  # fmt: skip
    # A home of its own: settings of whoever runs the tests have no say.
    environment = {**os.environ, "HOME": str(templates.parent), "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, cwd=templates, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["summary"]["parsing_errors"] == 0
    assert told["summary"]["passed"] > 500
    found: Sequence[dict[str, Any]] = told["results"]["failed_checks"]
    return found


def explains(exception: ScannerException, failure: dict[str, Any]) -> bool:
    kind, _, logical_id = failure["resource"].rpartition(".")
    return (
        failure["check_id"] == exception.check
        and kind == exception.kind
        and any(logical_id.startswith(beginning) for beginning in exception.resources)
    )


def test_checkov_finds_only_what_is_explained(failures: Sequence[dict[str, Any]]) -> None:
    unexplained = [
        f"{failure['check_id']} {failure['check_name']}: {failure['file_path']} {failure['resource']}"
        for failure in failures
        if not any(explains(exception, failure) for exception in EXCEPTIONS)
    ]
    assert unexplained == []


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda exception: exception.check)
def test_no_exception_is_idle(exception: ScannerException, failures: Sequence[dict[str, Any]]) -> None:
    assert set(idle(exception, failures)) == set()
    assert len(exception.reason) > 40


def idle(exception: ScannerException, failures: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The beginnings of an exception that no finding needs."""
    for beginning in exception.resources:
        one = ScannerException(exception.check, exception.kind, (beginning,), exception.reason)
        if not any(explains(one, failure) for failure in failures):
            yield beginning
