"""Single packages of the npm registry that the tests use as data: unpacked, without their dependencies and scripts.

`npm install` of DynamoDB Local's package would bring 282 others for a command-line tool that nobody runs here.
"""

import base64
import hashlib
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.installer import alone
from scripts.npm import run_npm
from scripts.progress import Progress
from scripts.trouble import Trouble

FILE_NAME = "archive.sha512"
_BLOCK_BYTES = 1024 * 1024


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
    (root / ".venvs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root / ".venvs", prefix=f".{archive.name}-") as name:
        draft = Path(name)
        packed = _pack(root, archive, draft)
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


def _pack(root: Path, archive: Archive, folder: Path) -> Path:
    run_npm(root, ["pack", f"{archive.package}@{archive.version}", "--ignore-scripts", "--silent"], folder)
    packed = sorted(folder.glob("*.tgz"))
    if not packed:
        raise Trouble(f"npm pack brought no file of {archive.package} {archive.version}")
    return packed[0]


def check(packed: Path, archive: Archive) -> None:
    """Trouble unless the file is, byte for byte, the one that is pinned."""
    digest = hashlib.sha512()
    with packed.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    if base64.b64encode(digest.digest()).decode("ascii") != archive.sha512:
        raise Trouble(f"{archive.package} {archive.version} is not the file that is pinned: do not use it")
