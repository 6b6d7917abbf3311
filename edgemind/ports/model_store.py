"""Where the files of models are published, for sites to fetch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edgemind.domain.model_files import ModelManifest

__all__ = ["ModelManifest", "ModelStore", "PublishedModel"]


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model and the version that sites are to serve; `previous` are those served before it, the latest first."""

    model: str
    version: str
    previous: tuple[str, ...]


class ModelStore(Protocol):
    """Raises ModelStoreUnavailable (try again: what is done stays done) or ModelDamaged (a person must act).

    A model or version that is not there is a PermanentError. Every method may be called again with the same arguments.
    Calls block, for as long as a transfer takes: keep them off event loops.
    """

    def publish(self, model: str, version: str, source: Path) -> ModelManifest:
        """Store a file, or a folder with all that is in it, and make it the version to serve.

        Nothing is to be seen of it before it is whole. PermanentError if the version exists with other contents.
        """

    def list_models(self) -> Sequence[PublishedModel]:
        """All models, by name."""

    def manifest(self, model: str, version: str | None = None) -> ModelManifest:
        """Of the version named, or of the one to serve."""

    def fetch(self, model: str, folder: Path, version: str | None = None) -> Path:
        """Bring a version (the one to serve, if none is named) below `folder`; the place of its files.

        The place appears when every part is there and has its digest. What was fetched before an interruption is not
        fetched again. At a place that is there already nothing is done.
        """

    def serve_version(self, model: str, version: str) -> None:
        """Make a published version the one to serve: an older one, to roll back."""
