"""One version of a model on its way to this machine: parts in parallel, each checked, shown when all are there."""

import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from edgemind.adapters.model_store.disk import digest_of, explained, sync_folder, write_all
from edgemind.adapters.model_store.manifests import dump_manifest, file_name
from edgemind.adapters.model_store.objects import ObjectMissing, Objects
from edgemind.domain.model_files import ModelFile, ModelManifest, ModelPart
from edgemind.errors import EdgeMindError, ModelDamaged, ModelStoreUnavailable

MANIFEST = ".manifest.json"
"""In a finished place; no model's file can have a name with a dot before it."""
WORKERS = 4
ATTEMPTS = 3
"""For a part whose transfer is cut or damaged: what is stored may be well."""
_REPUBLISH = "Publish the model again as a new version, or serve an older one"


class _Stopped(Exception):
    """Another part failed: this one is not worth finishing."""


@dataclass(frozen=True, slots=True)
class Download:
    """Into `place`, through a hidden folder beside it whose parts count again after an interruption, once checked."""

    objects: Objects
    manifest: ModelManifest
    place: Path
    stop: threading.Event

    @property
    def partial(self) -> Path:
        return self.place.with_name(f".{self.place.name}.partial")

    def run(self) -> None:
        with explained("write", self.partial):
            for file in self.manifest.files:
                self._target(file).parent.mkdir(parents=True, exist_ok=True)
                self._target(file).touch()
        self._check_space()
        self._fetch_parts()
        with explained("write", self.partial):
            self._show()

    def _target(self, file: ModelFile) -> Path:
        return self.partial / file.path

    def _check_space(self) -> None:
        """Before the first byte: a disk that others need as well is not filled up for nothing."""
        with explained("read", self.partial):
            held = sum(min(self._target(file).stat().st_blocks * 512, file.size_bytes) for file in self.manifest.files)
            free = shutil.disk_usage(self.partial).free
        lacking = self.manifest.size_bytes - held - free
        if lacking > 0:
            raise ModelStoreUnavailable(
                f"cannot write {self.partial}: {self.manifest.model} {self.manifest.version} needs "
                f"{lacking / 1e6:,.0f} MB more than that disk has free. Free some space, then try again."
            )

    def _fetch_parts(self) -> None:
        parts = [(file, part) for file in self.manifest.files for part in file.parts]
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="model-part") as pool:
            futures = [pool.submit(self._fetch_part, file, part) for file, part in parts]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                if not all(future.done() for future in futures):
                    self.stop.set()
                    pool.shutdown(cancel_futures=True)
        errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
        for error in sorted(errors, key=lambda error: isinstance(error, _Stopped)):
            raise error

    def _fetch_part(self, file: ModelFile, part: ModelPart) -> None:
        target = self._target(file)
        with explained("write", target):
            descriptor = os.open(target, os.O_RDWR | os.O_CLOEXEC)
        try:
            with explained("write", target):
                if digest_of(descriptor, part.offset, part.size_bytes) == part.sha256:
                    return
            self._try_part(descriptor, file, part)
        finally:
            os.close(descriptor)

    def _try_part(self, descriptor: int, file: ModelFile, part: ModelPart) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._transfer(descriptor, file, part)
            except (ModelDamaged, ModelStoreUnavailable):
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _transfer(self, descriptor: int, file: ModelFile, part: ModelPart) -> None:
        name = file_name(self.manifest, file.path)
        digest, received = sha256(), 0
        for chunk in self._chunks(name, part):
            if self.stop.is_set():
                raise _Stopped
            with explained("write", self._target(file)):
                write_all(descriptor, chunk, part.offset + received)
            digest.update(chunk)
            received += len(chunk)
        if received != part.size_bytes:
            raise self._damaged(name, f"it ends {part.size_bytes - received} bytes too early")
        if digest.hexdigest() != part.sha256:
            raise self._damaged(name, f"the part at byte {part.offset} has another digest than when it was published")

    def _chunks(self, name: str, part: ModelPart) -> Iterator[bytes]:
        try:
            yield from self.objects.read_range(name, part.offset, part.size_bytes)
        except ObjectMissing as exc:
            raise self._damaged(name, "it has vanished") from exc

    def _damaged(self, name: str, what: str) -> EdgeMindError:
        return ModelDamaged(f"{self.objects.where}/{name} cannot be used: {what}. {_REPUBLISH}.")

    def _show(self) -> None:
        for file in self.manifest.files:
            with self._target(file).open("r+b") as written:
                # What an earlier attempt may have left behind the end.
                written.truncate(file.size_bytes)
                os.fsync(written.fileno())
        (self.partial / MANIFEST).write_bytes(dump_manifest(self.manifest))
        for folder in {self._target(file).parent for file in self.manifest.files} | {self.partial}:
            sync_folder(folder)
        self.partial.rename(self.place)
        sync_folder(self.place.parent)
