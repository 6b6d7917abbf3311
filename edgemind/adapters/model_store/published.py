"""A `ModelStore` on any kind of objects: what is published, what is served, how it comes to a site."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edgemind.adapters.model_store.disk import alone, scan
from edgemind.adapters.model_store.download import MANIFEST, Download
from edgemind.adapters.model_store.manifests import (
    ROOT,
    dump_manifest,
    dump_pointer,
    file_name,
    folder_name,
    load_manifest,
    load_pointer,
    manifest_name,
    model_of,
    pointed_at,
    pointer_name,
)
from edgemind.adapters.model_store.objects import ObjectChanged, ObjectMissing, Objects
from edgemind.domain.model_files import PART_BYTES, ModelManifest, check_names, flaws
from edgemind.errors import ModelDamaged, ModelStoreUnavailable, PermanentError
from edgemind.ports.model_store import PublishedModel

POINTER_ATTEMPTS = 10
_RECOVERY = "It was left as it is. Restore the object from its backup or an older version of it"

_Read = TypeVar("_Read")


class PublishedModels:
    """`ModelStore`. Threads and processes may share the objects, and the folders that are fetched into."""

    def __init__(self, objects: Objects, part_bytes: int = PART_BYTES) -> None:
        self._objects = objects
        self._part_bytes = part_bytes

    def publish(self, model: str, version: str, source: Path) -> ModelManifest:
        check_names(model, version)
        found = scan(source, self._part_bytes)
        manifest = ModelManifest(model, version, tuple(file for _, file in found))
        if wrong := flaws(manifest):
            raise PermanentError(f"{source} cannot be published: {'; '.join(wrong[:10])}")
        if not self._is_published(manifest):
            for path, file in found:
                self._objects.put_file(file_name(manifest, file.path), path, file)
            self._add_manifest(manifest)
        self.serve_version(model, version)
        return manifest

    def list_models(self) -> Sequence[PublishedModel]:
        # One without a pointer is being published for the first time.
        found = (self._pointer(model_of(folder))[0] for folder in self._objects.names_below(ROOT))
        return sorted((pointer for pointer in found if pointer), key=lambda pointer: pointer.model)

    def manifest(self, model: str, version: str | None = None) -> ModelManifest:
        version = version or self._served(model)
        check_names(model, version)
        found = self._manifest(model, version)
        if found is None:
            raise PermanentError(
                f"{self._objects.where} has no version {version} of {model}; "
                f"see what there is with: edgemind models list, or publish it"
            )
        return found

    def fetch(self, model: str, folder: Path, version: str | None = None) -> Path:
        version = version or self._served(model)
        check_names(model, version)
        home = folder / folder_name(model)
        place = home / version
        if (place / MANIFEST).exists():
            return place
        manifest = self.manifest(model, version)
        with alone(home / ".lock"):
            if not (place / MANIFEST).exists():
                Download(self._objects, manifest, place, threading.Event()).run()
        return place

    def serve_version(self, model: str, version: str) -> None:
        self.manifest(model, version)
        for _ in range(POINTER_ATTEMPTS):
            held, mark = self._pointer(model)
            pointer = pointed_at(held, model, version)
            if pointer == held:
                return None
            try:
                return self._objects.write(pointer_name(model), dump_pointer(pointer), mark)
            except ObjectChanged:
                # Somebody else moved it since: on top of theirs, then.
                continue
        raise ModelStoreUnavailable(f"{model} is being changed by many at once: try again in a moment.")

    def _is_published(self, manifest: ModelManifest) -> bool:
        held = self._manifest(manifest.model, manifest.version)
        if held is not None and held != manifest:
            raise PermanentError(
                f"version {manifest.version} of {manifest.model} is published already, with other contents: "
                "a version is never changed. Publish this one under another name."
            )
        return held is not None

    def _add_manifest(self, manifest: ModelManifest) -> None:
        """Last of all: with it the version is there."""
        try:
            self._objects.write(manifest_name(manifest.model, manifest.version), dump_manifest(manifest), None)
        except ObjectChanged:
            self._is_published(manifest)

    def _served(self, model: str) -> str:
        pointer, _ = self._pointer(model)
        if pointer is None:
            raise PermanentError(f"{self._objects.where} has no model {model}: publish it first")
        return pointer.version

    def _pointer(self, model: str) -> tuple[PublishedModel | None, str | None]:
        """What is served, and the mark under which it was read."""
        try:
            content, mark = self._objects.read(pointer_name(model))
        except ObjectMissing:
            return None, None
        return self._typed(pointer_name(model), lambda: load_pointer(content, model)), mark

    def _manifest(self, model: str, version: str) -> ModelManifest | None:
        name = manifest_name(model, version)
        try:
            content, _ = self._objects.read(name)
        except ObjectMissing:
            return None
        return self._typed(name, lambda: load_manifest(content, model, version))

    def _typed(self, name: str, load: Callable[[], _Read]) -> _Read:
        try:
            return load()
        except ModelDamaged as exc:
            raise ModelDamaged(f"{self._objects.where}/{name} cannot be used: {exc}. {_RECOVERY}.") from exc
