"""Makes the locks from pyproject.toml and requirements/*.in, and tells when one is older than what it is made from.

A lock's first line holds the digest of its inputs, so that its freshness can be checked without a network.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.groups import DEV, GROUPS, Group, Place
from scripts.trouble import Trouble

HEADER = "# Made by `./run lock` from {source}; do not edit. inputs sha256:{digest}\n"


def inputs_digest(root: Path, group: Group) -> str:
    """SHA-256 (hex) of what the lock is made from: what decides its content, not comments or order."""
    return hashlib.sha256(json.dumps(_inputs(root, group), sort_keys=True).encode()).hexdigest()


def _inputs(root: Path, group: Group) -> dict[str, Any]:
    if group.extras is None:
        lines = (root / "requirements" / f"{group.name}.in").read_text(encoding="utf-8").splitlines()
        return {"requirements": sorted(line.strip() for line in lines if line.strip() and not line.startswith("#"))}
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {extra: sorted(project["optional-dependencies"][extra]) for extra in group.extras}
    return {"python": project["requires-python"], "core": sorted(project["dependencies"]), "extras": extras}


def stale(root: Path) -> list[str]:
    """One line for each lock that is missing or older than its inputs."""
    findings = []
    for group in GROUPS:
        lock = group.lock_path(root)
        first_line = lock.read_text(encoding="utf-8").partition("\n")[0] if lock.exists() else ""
        if not first_line.endswith(f"sha256:{inputs_digest(root, group)}"):
            findings.append(f"requirements/{lock.name} is older than what it is made from: run ./run lock")
    return findings


def unhashed(lock_text: str) -> list[str]:
    """The pinned packages of a lock that have no hash, and lines that are neither pin nor hash."""
    logical = re.sub(r"\\\n", " ", lock_text)
    lines = [line for line in logical.splitlines() if line.strip() and not line.startswith("#")]
    return [line.split()[0] for line in lines if "==" not in line.split()[0] or "--hash=sha256:" not in line]


def make(root: Path, only: Sequence[str], upgrade: bool) -> None:
    """Write the locks named (all, if none are). Pins stay as they are unless the inputs or `upgrade` ask for others."""
    unknown = set(only) - {group.name for group in GROUPS}
    if unknown:
        raise Trouble(f"no lock is called {', '.join(sorted(unknown))}; there are {', '.join(g.name for g in GROUPS)}")
    uv = _find_uv(root)
    for group in GROUPS:
        if not only or group.name in only:
            print(f"locking {group.name}", flush=True)
            _compile(root, group, [uv, *compile_arguments(group), *(["--upgrade"] if upgrade else [])])


def compile_arguments(group: Group) -> list[str]:
    """The arguments of uv, relative to the root, that make a group's lock."""
    arguments = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"]
    arguments += ["--python-version", "3.11", "--output-file", f"requirements/{group.name}.lock"]
    if group.extras is None:
        arguments.append(f"requirements/{group.name}.in")
    else:
        arguments += ["pyproject.toml", *(f"--extra={extra}" for extra in group.extras)]
    if group.place is Place.FOLDER:
        arguments.append("--no-deps")
    if group.place is Place.MAIN and group is not DEV:
        # They share .venv: one version of each package, whatever is installed first.
        arguments += ["--constraints", f"requirements/{DEV.name}.lock"]
    return arguments


def _compile(root: Path, group: Group, command: Sequence[str]) -> None:
    if subprocess.run(command, cwd=root, check=False).returncode != 0:
        raise Trouble(f"requirements/{group.name}.lock was not made: uv says why above")
    lock = group.lock_path(root)
    source = f"requirements/{group.name}.in" if group.extras is None else "pyproject.toml"
    header = HEADER.format(source=source, digest=inputs_digest(root, group))
    pins = "".join(line for line in lock.read_text(encoding="utf-8").splitlines(True) if not line.startswith("#"))
    lock.write_text(header + pins, encoding="utf-8")


def _find_uv(root: Path) -> str:
    own = root / ".venv" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise Trouble("`./run lock` needs uv: `./run test` installs it, or see its own site")
    return found
