"""Manifests and pointers as the JSON that is stored, and the names of the objects of a model.

| name | holds |
|---|---|
| `models/<model>/serve.json` | the version to serve and those before it |
| `models/<model>/versions/<version>/manifest.json` | files, parts, digests |
| `models/<model>/versions/<version>/<content>/<path>` | a file |

`<content>` is the start of the manifest's digest: two who publish different things as one version at the same time do
not overwrite each other's files, and only one of their manifests is kept.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from edgemind.domain.model_files import ModelFile, ModelManifest, ModelPart, flaws
from edgemind.errors import ModelDamaged
from edgemind.ports.model_store import PublishedModel

ROOT = "models/"
SCHEMA_VERSION = "1.0"
PREVIOUS_KEPT = 20


def folder_name(model: str) -> str:
    """A model's name as one path segment: it may have `/` in it."""
    return quote(model, safe="")


def model_of(folder: str) -> str:
    return unquote(folder)


def pointer_name(model: str) -> str:
    return f"{ROOT}{folder_name(model)}/serve.json"


def manifest_name(model: str, version: str) -> str:
    return f"{ROOT}{folder_name(model)}/versions/{version}/manifest.json"


def file_name(manifest: ModelManifest, path: str) -> str:
    content = sha256(dump_manifest(manifest)).hexdigest()[:16]
    return f"{ROOT}{folder_name(manifest.model)}/versions/{manifest.version}/{content}/{path}"


def dump_manifest(manifest: ModelManifest) -> bytes:
    document = {"schema_version": SCHEMA_VERSION, **asdict(manifest)}
    return json.dumps(document, indent=1, sort_keys=True).encode("ascii")


def load_manifest(content: bytes, model: str, version: str) -> ModelManifest:
    """ModelDamaged, without a place, unless it is a usable manifest of this very version."""
    document = _document(content)
    try:
        manifest = ModelManifest(
            model=str(document["model"]),
            version=str(document["version"]),
            files=tuple(_file(file) for file in document["files"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelDamaged(f"it is no manifest ({type(exc).__name__}: {exc})") from exc
    if (manifest.model, manifest.version) != (model, version):
        raise ModelDamaged(f"it is that of {manifest.model[:60]} {manifest.version[:60]}")
    if found := flaws(manifest):
        raise ModelDamaged("; ".join(found[:10]))
    return manifest


def dump_pointer(pointer: PublishedModel) -> bytes:
    document = {"schema_version": SCHEMA_VERSION, **asdict(pointer)}
    return json.dumps(document, indent=1, sort_keys=True).encode("ascii")


def load_pointer(content: bytes, model: str) -> PublishedModel:
    """ModelDamaged, without a place, unless it names a version of this model."""
    document = _document(content)
    version, previous = document.get("version"), document.get("previous")
    if document.get("model") != model or not isinstance(version, str) or not isinstance(previous, list):
        raise ModelDamaged("it names no version of this model")
    return PublishedModel(model, version, tuple(str(each) for each in previous))


def pointed_at(pointer: PublishedModel | None, model: str, version: str) -> PublishedModel:
    """The pointer after a version was made the one to serve."""
    if pointer is None:
        return PublishedModel(model, version, ())
    if pointer.version == version:
        return pointer
    before = [each for each in (pointer.version, *pointer.previous) if each != version]
    return PublishedModel(model, version, tuple(before[:PREVIOUS_KEPT]))


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise ModelDamaged(f"it is damaged or cut short ({exc})") from exc
    if not isinstance(document, dict):
        raise ModelDamaged("it holds no JSON object")
    major = str(document.get("schema_version", "")).partition(".")[0]
    if major != SCHEMA_VERSION.partition(".")[0]:
        raise ModelDamaged(f"its schema_version is {str(document.get('schema_version'))[:40]!r}: upgrade this EdgeMind")
    return document


def _file(document: Mapping[str, Any]) -> ModelFile:
    return ModelFile(str(document["path"]), tuple(_part(part) for part in document["parts"]))


def _part(document: Mapping[str, Any]) -> ModelPart:
    offset, size_bytes = document["offset"], document["size_bytes"]
    if type(offset) is not int or type(size_bytes) is not int:
        raise ValueError("offset or size_bytes is no whole number")
    return ModelPart(offset, size_bytes, str(document["sha256"]))
