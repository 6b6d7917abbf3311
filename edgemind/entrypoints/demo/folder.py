"""`.edgemind/demo`: the lock, the secrets and the key of one demo at a time. All of it is made anew each time."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from edgemind.bootstrap import open_state_store, open_swarm_store, system_clock
from edgemind.entrypoints.demo.configuration import FLEET_SECRET, KEY_FILE, ROLES, STATE_FOLDER, TENANT, role_token_file
from edgemind.errors import PermanentError
from edgemind.services.manage_keys import ManageKeys
from edgemind.services.rounds.provision import provision
from edgemind.settings import Settings, load_settings

FOLDER = Path(".edgemind")
FLEET_FILE = FOLDER / "fleet.json"
"""The CLI's default fleet."""


class DemoFolder:
    """Paths and secrets; made by `claimed_folder` only, which holds the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "edgemind.yaml"
        self.logs = path / "logs"

    def token(self, role: str) -> str:
        return (self.path / role_token_file(role)).read_text(encoding="utf-8").strip()

    def fill(self, configuration: str) -> Settings:
        """Write secrets and configuration, forget the state of the run before; returns the loaded settings."""
        with writing(self.path):
            for old in (self.path / STATE_FOLDER, self.logs):
                shutil.rmtree(old, ignore_errors=True)
            self.logs.mkdir(parents=True)
            for name in (FLEET_SECRET, *(role_token_file(role) for role in ROLES)):
                write_private(self.path / name, secrets.token_urlsafe(32) + "\n")
            # The configuration names it, and it is issued only with what the configuration says.
            write_private(self.path / KEY_FILE, "not-issued-yet\n")
            self.config.write_text(configuration, encoding="utf-8")
        return load_settings(self.config)

    def issue_key(self, settings: Settings) -> str:
        """A key of the demo's tenant; also left in a file, so that scripts can read it."""
        store, tenants = open_state_store(settings), [tenant.name for tenant in settings.tenants]
        issued = ManageKeys(store, system_clock(), tenants, secrets.token_bytes).create(TENANT)
        with writing(self.path):
            write_private(self.path / KEY_FILE, issued.secret + "\n")
        return issued.secret

    def provision(self, settings: Settings) -> None:
        """The store of rounds, so that the sites can decide. Raises EdgeMindError."""
        provision(open_swarm_store(settings), epoch=1)


@contextmanager
def claimed_folder() -> Iterator[DemoFolder]:
    """This folder's `.edgemind/demo`, for one demo at a time. PermanentError if it is in use or cannot be written."""
    path = FOLDER / "demo"
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, path)
        yield DemoFolder(path)
    finally:
        os.close(descriptor)


@contextmanager
def default_fleet(url: str, token: str, control: Mapping[str, str] | None = None) -> Iterator[None]:
    """While the demo runs, it is the fleet that the CLI asks. `control` is where its scenarios are started."""
    text = json.dumps({"url": url, "token": token, **({"control": control} if control else {})})
    with writing(FOLDER):
        write_private(FLEET_FILE, text)
    try:
        yield
    finally:
        with suppress(OSError):
            if FLEET_FILE.read_text(encoding="utf-8") == text:
                FLEET_FILE.unlink()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns an OSError inside the block into one line about the folder and what to do."""
    try:
        yield
    except OSError as exc:
        why = (exc.strerror or "no access").lower()
        raise PermanentError(
            f"cannot write {Path(exc.filename or folder).absolute()} ({why}); "
            "make room there, or start the demo in a folder that you may write to"
        ) from exc


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only this user can read, whoever could read the old one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    temporary.replace(path)


def _lock(descriptor: int, path: Path) -> None:
    """Given back by the kernel when the demo ends in any way; its processes do not inherit it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "?"
        raise PermanentError(
            f"a demo is already running in this folder (process {holder}, {path.absolute()}); stop it, or start this "
            "one in another folder with --base-port 9100"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
