"""The CDK's command line: `npm ci` of the tree's own package-lock.json, and how to call what it brings."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from scripts.installer import alone
from scripts.npm import find_node, run_npm
from scripts.progress import Progress
from scripts.trouble import Trouble

FOLDER = "node_modules"
PROGRAM = f"{FOLDER}/aws-cdk/bin/cdk"
# In the folder that npm ci deletes first: what was cut short has none.
_STAMP = f"{FOLDER}/.edgemind-lock"


def install(root: Path, progress: Progress) -> None:
    """`npm ci`, unless what it brings is there. Raises Trouble."""
    wanted = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    if _installed(root) == wanted:
        return
    with alone(root):
        if _installed(root) == wanted:
            return
        progress.start("installing cdk (the CDK's command line)")
        try:
            run_npm(root, ["ci", "--ignore-scripts", "--silent"], root)
        except Trouble:
            progress.finish("failed")
            raise
        (root / _STAMP).write_text(wanted, encoding="ascii")
        progress.finish()


def install_if_possible(root: Path, progress: Progress) -> None:
    """What cannot be had is told and gone without: its tests skip with a reason."""
    try:
        install(root, progress)
    except Trouble as trouble:
        print(f"going on without cdk: {trouble}", flush=True)


def command(root: Path, arguments: Sequence[str]) -> list[str]:
    """How to call it. Raises Trouble without Node.js."""
    node = find_node(root)
    if node is None:
        raise Trouble("there is no Node.js: install it (Debian, Ubuntu: sudo apt-get install nodejs npm)")
    return [node, str(root / PROGRAM), *arguments]


def environment(root: Path) -> dict[str, str]:
    """This process's environment, with the Node.js above for the app, too, which asks for one by name."""
    node = find_node(root)
    folder = f"{Path(node).parent}{os.pathsep}" if node else ""
    return {**os.environ, "PATH": f"{folder}{os.environ.get('PATH', os.defpath)}"}


def _installed(root: Path) -> str | None:
    try:
        return (root / _STAMP).read_text(encoding="ascii")
    except OSError:
        return None
