"""What the images are built from where nothing can be pulled and no build has a network: a base made of Debian's
packages, and an image that holds the wheels.
"""

import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.engines.docker import Docker
from tests.support.engines.process import ROOT

SUITE = "bookworm"
STAND_IN = "edgemind-test-python:3.11"
"""Debian's own Python 3.11: the version of the base that the Dockerfiles name."""
PYTHON = "3.11"
WHEELS = "edgemind-test-wheels:local"
# What slim images leave out, too.
_LEFT_OUT = ("dev/", "proc/", "sys/", "usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/info/",
             "var/cache/apt/", "var/lib/apt/lists/", "var/log/")  # fmt: skip


def named_base() -> str:
    """The base image that the Dockerfiles name."""
    text = (ROOT / "deploy" / "docker" / "gateway.Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


def why_not() -> str | None:
    """Why the stand-in for the base cannot be made here; None if it can."""
    return None if shutil.which("debootstrap") else "no debootstrap (.ci/install-docker installs it)"


def provide(docker: Docker, folder: Path, locks: Iterable[str]) -> dict[str, str]:
    """Put both images into the engine; the build arguments that name them."""
    with ThreadPoolExecutor(2) as both:
        wheels = both.submit(_wheels, docker, folder, locks)
        base = named_base()
        if not docker.has_image(base):
            base = STAND_IN
            if not docker.has_image(base):
                _stand_in(docker, folder)
        wheels.result()
    return {"PYTHON_IMAGE": base, "WHEELS_IMAGE": WHEELS, "PIP_NO_INDEX": "1"}


def _stand_in(docker: Docker, folder: Path) -> None:
    root, archive = folder / "base", folder / "base.tar"
    # libgomp1: what the model server's image installs where its build has a network.
    packages = "--include=python3,python3-venv,ca-certificates,libgomp1"
    # Without an address: debootstrap knows the one that this Debian was configured with, or Debian's own.
    _checked(["debootstrap", "--variant=minbase", packages, SUITE, str(root), *_mirror()])
    with tarfile.open(archive, "w") as tar:
        for path in sorted(root.iterdir()):
            tar.add(path, path.name, filter=_wanted)
    docker.run("import", "-", STAND_IN, stdin=archive)
    shutil.rmtree(root)
    archive.unlink()


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.name.startswith(_LEFT_OUT) else member


def _mirror() -> list[str]:
    """The address of the first Debian archive that apt is configured with; none: debootstrap's own."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return [site for site in listed if site.rstrip("/").endswith("/debian")][:1]


def _wheels(docker: Docker, folder: Path, locks: Iterable[str]) -> None:
    wheelhouse, archive = folder / "wheels", folder / "wheels.tar"
    flags = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", str(wheelhouse)]
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        flags += ["--python-version", PYTHON]
    for lock in locks:
        _checked([sys.executable, "-m", "pip", "download", *flags, "-r", str(ROOT / "requirements" / f"{lock}.lock")])
    with tarfile.open(archive, "w") as tar:
        tar.add(wheelhouse, ".")
    docker.run("import", "-", WHEELS, stdin=archive)
    archive.unlink()


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command[:4])}: {done.stdout[-4000:]}"
