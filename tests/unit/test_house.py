"""What holds for the whole tree, whoever wrote a file."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import edgemind
from scripts.checks import foreign_words, project_files

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 300
FUNCTION_LINES = 40
CODE_FOLDERS = ("edgemind", "agents", "dashboard", "mcp_tools", "stacks", "deploy", "scripts", "benchmarks", "examples")
FILES = [path.relative_to(ROOT) for path in project_files(ROOT) if path.is_file()]
CODE = [path for path in FILES if path.suffix == ".py" and path.parts[0] in CODE_FOLDERS]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its first statement on: a long signature or docstring is no complexity."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def test_no_registry_host_or_machine_path() -> None:
    findings = []
    for path in FILES:
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        findings += [f"{path}:{line}: {what}" for line, what in foreign_words(text)]
    assert findings == []


def test_files_stay_small() -> None:
    sizes = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {path: lines for path, lines in sizes.items() if lines > FILE_LINES} == {}


def test_functions_fit_a_screen() -> None:
    long = {}
    for path in CODE:
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > FUNCTION_LINES:
                long[f"{path}:{node.lineno} {node.name}"] = body_lines(node)
    assert long == {}


def test_names_say_what_they_hold() -> None:
    vague = re.compile(r"(^|_)(utils?|helpers?|common|manager|misc|v2)(_|$)")
    assert [str(path) for path in CODE if any(vague.search(part) for part in path.with_suffix("").parts)] == []


def test_the_version_has_one_source_and_a_changelog_entry() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "edgemind/__init__.py"
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(edgemind.__version__)}\]", changelog, re.MULTILINE)


@pytest.mark.parametrize("page", [path for path in FILES if path.suffix == ".md"], ids=str)
def test_links_between_files_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", text)
    missing = [target for target in targets if not (ROOT / page.parent / target).exists()]
    assert missing == [], f"{page} links to files that do not exist"


def test_the_map_in_the_readme_is_true() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README.md yet")
    text = readme.read_text(encoding="utf-8")
    known = {path.parts[0] for path in FILES}
    folders = set(re.findall(r"^(?:\|\s*)?`?([a-z_.]+)/`?\s", text, re.MULTILINE))
    assert folders - known == set(), "the README's map names folders that do not exist"
