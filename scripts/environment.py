"""The environments that `./run` makes: created, adopted or made anew, then filled from locks."""

import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts import stamp as stamps
from scripts.groups import Group, Place
from scripts.installer import alone, install, pip_command
from scripts.progress import Progress
from scripts.stamp import Stamp
from scripts.trouble import NO_BUILD, Trouble, explain_pip


class Environment:
    """One virtual environment. The one in .venv also holds the project itself."""

    def __init__(self, root: Path, path: Path, progress: Progress) -> None:
        self.root = root
        self.path = path
        self.name = str(path.relative_to(root))
        self._progress = progress

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def ensure(self, groups: Sequence[Group]) -> None:
        """Install what is not there yet. Raises Trouble, but only tells of an optional group that cannot be had."""
        stamp = self._usable_stamp()
        if stamp is not None and all(stamp.settles(group, self.root) for group in groups):
            return
        with alone(self.root):
            stamp = self._usable_stamp() or self._make()
            for group in groups:
                if not stamp.settles(group, self.root):
                    self._install(group, stamp)

    def _usable_stamp(self) -> Stamp | None:
        stamp = stamps.load(self.path)
        if stamp is None or stamp.path != str(self.path) or stamp.python != self._python_version():
            return None
        return stamp

    def _python_version(self) -> str | None:
        """Major.minor of the environment's Python; None if it does not run."""
        if Path(sys.prefix) == self.path:
            return f"{sys.version_info.major}.{sys.version_info.minor}"
        return self._ask("import sys; print('%d.%d' % sys.version_info[:2])")

    def _ask(self, program: str) -> str | None:
        try:
            answer = subprocess.run([self.python, "-I", "-c", program], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return answer.stdout.strip() if answer.returncode == 0 else None

    def _make(self) -> Stamp:
        if self.path.exists() and not self._adoptable():
            print(f"{self.name} is unfinished, moved or broken: making it anew", flush=True)
            shutil.rmtree(self.path)
        if not self.path.exists():
            self._create()
        version = self._python_version()
        if version is None:
            raise Trouble(
                f"the Python in {self.name} does not run: delete {self.name}, then run the same command again"
            )
        if self.path == self.root / ".venv":
            link_project(self.root, self.path, version)
        stamp = Stamp(str(self.path), version)
        stamp.save()
        return stamp

    def _adoptable(self) -> bool:
        """A .venv made by hand is kept if it is whole: it stands where it was made, and has a pip."""
        if (self.path / stamps.FILE_NAME).exists() or not (self.path / "bin" / "pip").exists():
            return False
        prefix = self._ask("import pip, sys; sys.version_info >= (3, 11) and print(sys.prefix)")
        return prefix == str(self.path)

    def _create(self) -> None:
        require_venv_module()
        self._progress.start(f"making {self.name} with Python {sys.version.split()[0]}")
        # From the Python below: an environment made from another one breaks with it.
        base = getattr(sys, "_base_executable", sys.executable)
        # In two steps, because venv keeps to itself what made its pip fail.
        steps = (
            [base, "-I", "-m", "venv", "--without-pip", str(self.path)],
            [str(self.python), "-I", "-m", "ensurepip", "--default-pip"],
        )
        for step in steps:
            made = subprocess.run(step, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                self._progress.finish("failed")
                raise Trouble(explain_pip(made.stdout + made.stderr, self.path))
        self._progress.finish()

    def _install(self, group: Group, stamp: Stamp) -> None:
        # Forgotten first: an installation that is cut short must not count as done.
        stamp.forget(group)
        stamp.save()
        self._progress.start(f"installing {group.name} ({group.about})")
        try:
            self._pip(group)
        except Trouble as trouble:
            self._progress.finish("not installed" if group.optional else "failed")
            if not group.optional:
                raise
            self._go_on_without(group, stamp, str(trouble))
            return
        self._progress.finish()
        stamp.groups[group.name] = group.lock_sha256(self.root)
        stamp.save()

    def _pip(self, group: Group) -> None:
        lock = group.lock_path(self.root)
        if group.place is not Place.FOLDER:
            install(pip_command(self.python, lock), lock, self.path, self._progress)
            return
        folder = self.root / ".venvs" / group.name
        shutil.rmtree(folder, ignore_errors=True)
        install(pip_command(self.python, lock, folder), lock, folder, self._progress)

    def _go_on_without(self, group: Group, stamp: Stamp, reason: str) -> None:
        print(f"going on without {group.name}: {reason}", flush=True)
        # Only what trying again cannot change is remembered; a network may be back at the next start.
        if reason.endswith(NO_BUILD):
            stamp.missing[group.name] = [group.lock_sha256(self.root), reason]
            stamp.save()


def require_venv_module() -> None:
    """Debian's Python comes without it; asked here, because venv itself would fail half-way."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise Trouble(
        f"Python {version} is here without its venv module: install it "
        f"(Debian, Ubuntu: sudo apt-get install python3-venv python{version}-venv), then run the same command again"
    )


def link_project(root: Path, path: Path, version: str) -> None:
    """Make `import edgemind` and the `edgemind` command work from this tree, without a build step.

    The path file also names the folder of the model file, which may come later: Python passes over what is not there.
    """
    site_packages = path / "lib" / f"python{version}" / "site-packages"
    (site_packages / "edgemind-mec.pth").write_text(f"{root}\n{root / '.venvs' / 'smollm2'}\n", encoding="utf-8")
    script = path / "bin" / "edgemind"
    # Not a Python shebang: those break at a space in the path, or at 127 characters.
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(f"{path}/bin/python")} -m edgemind "$@"\n', encoding="utf-8")
    script.chmod(0o755)
