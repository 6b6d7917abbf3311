"""The static checks of `./run lint` and `./run ci`: each prints its findings, and all of them run."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from scripts import locks
from scripts.groups import GROUPS

Check = Callable[[Path, Path], list[str]]
"""Takes the root and the environment's Python, answers with findings; a tool has printed its own, and counts as one."""

TYPED = (
    "edgemind",
    "agents",
    "dashboard",
    "mcp_tools",
    "stacks",
    "deploy",
    "scripts",
    "benchmarks",
    "examples",
    "tests",
)
SHELL_FILES = ("run", ".ci/run", ".ci/install-docker", ".githooks/pre-commit")

# Character classes, so that these lines do not find themselves.
REGISTRY_HOST = re.compile(
    r"pypi[.]org|pythonhos[t]ed[.]org|registry[.]npmjs|deb[.]debian[.]org|crates[.]io/api|proxy[.]golang[.]org"
)
MACHINE_PATH = re.compile(r"(?<![\w.$}>~-])/(?:home|Users|root|work)/[\w.-]")


def _tool(*arguments: str) -> Check:
    def check(root: Path, python: Path) -> list[str]:
        command = [str(python.parent / arguments[0]), *arguments[1:]]
        return [] if subprocess.run(command, cwd=root, check=False).returncode == 0 else [f"{arguments[0]}: see above"]

    return check


def _types(root: Path, python: Path) -> list[str]:
    return _tool("mypy", *(name for name in TYPED if any((root / name).rglob("*.py"))))(root, python)


def _shell(root: Path, _python: Path) -> list[str]:
    findings = []
    for name in SHELL_FILES:
        shell = (root / name).read_text(encoding="utf-8").partition("\n")[0].rpartition("/")[2].split()[-1]
        if subprocess.run([shell, "-n", name], cwd=root, check=False).returncode != 0:
            findings.append(f"{name}: does not parse")
        if not os.access(root / name, os.X_OK):
            findings.append(f"{name}: is not executable: chmod +x {name}")
    return findings


def _locks(root: Path, _python: Path) -> list[str]:
    findings = locks.stale(root)
    for group in GROUPS:
        lock = group.lock_path(root)
        unhashed = locks.unhashed(lock.read_text(encoding="utf-8")) if lock.exists() else []
        findings += [f"requirements/{lock.name}: {package} is not pinned with a hash" for package in unhashed]
    return findings


def _hygiene(root: Path, _python: Path) -> list[str]:
    findings = []
    for path in project_files(root):
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        findings += [f"{path.relative_to(root)}:{number}: {what}" for number, what in foreign_words(text)]
    return findings


def foreign_words(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers with a registry's host or a machine's path: they tie the project to where it was made."""
    for number, line in enumerate(text.splitlines(), 1):
        if REGISTRY_HOST.search(line):
            yield number, "names the host of a package registry"
        if MACHINE_PATH.search(line):
            yield number, "names a path of one machine"


def project_files(root: Path) -> list[Path]:
    """The files that belong to the project: what git tracks or would; in a copy without git, what it would likely."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        listed = None
    if listed is not None and listed.returncode == 0 and (root / ".git").exists():
        return [root / name for name in sorted(set(listed.stdout.split("\0"))) if name]
    return [path for path in sorted(root.rglob("*")) if path.is_file() and not _made_here(path.relative_to(root))]


def _made_here(path: Path) -> bool:
    return any(
        part.startswith(".") and part not in (".ci", ".githooks", ".gitignore", ".npmrc") for part in path.parts
    ) or any(part in ("__pycache__", "cdk.out", "dist", "htmlcov", "node_modules") for part in path.parts)


CHECKS: dict[str, Check] = {
    "ruff check": _tool("ruff", "check", "--output-format", "concise"),
    "ruff format": _tool("ruff", "format", "--check", "--output-format", "concise"),
    "types": _types,
    "import contracts": _tool("lint-imports", "--no-logo"),
    "shell": _shell,
    "locks": _locks,
    "hosts and paths": _hygiene,
}


def run_all(root: Path, python: Path) -> int:
    """0 if there are no findings, 1 otherwise; every check runs, so that one run shows everything there is to mend."""
    failed = []
    for name, check in CHECKS.items():
        print(f"--- {name}", flush=True)
        findings = check(root, python)
        for finding in findings:
            print(finding, flush=True)
        if findings:
            failed.append(name)
    print(f"lint: {'failed: ' + ', '.join(failed) if failed else 'all well'}", flush=True)
    return 1 if failed else 0
