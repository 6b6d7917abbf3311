"""How far a site's model servers were scaled, and by which round: a file beside the state, which outlives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgemind.adapters.state_store.json_document import DocumentKind, JsonDocument
from edgemind.adapters.state_store.records import SCHEMA_VERSION, Record
from edgemind.domain.swarm.records import Fence
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.scaler import StaleFence

_RECOVERY = (
    "Stop the model servers of the site and move it aside: they start with one replica of each model then, and take "
    "the next decision."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One model. `version` grows with every change, so that a writer can say which state it has seen."""

    replicas: int = 1
    fence: Fence | None = None
    version: int = 0


class ChangedSince(TemporaryError):
    """Somebody else has changed the number since the writer read it: read again, and decide again."""


class ReplicaFile:
    """`replicas-<site>.json` in `folder`, made with the first change. Several servers of the site may share it.

    Both methods block, and raise StoreUnavailable or StateCorrupt.
    """

    def __init__(self, folder: Path, site: str, lock_timeout_s: float = 5.0) -> None:
        kind = DocumentKind(f"replicas-{site}.json", _RECOVERY, remade=True)
        self._document = JsonDocument(folder, kind, lock_timeout_s)

    def read(self) -> Mapping[str, Wanted]:
        return {model: self._wanted(model, record) for model, record in self._document.read().items()}

    def change(self, model: str, replicas: int, fence: Fence, seen: int | None) -> Wanted:
        """Compare and set: durable when this returns. Raises StaleFence and ChangedSince, and then nothing changed.

        `seen` is the version on which the change rests; None rests on nothing.
        """
        with self._document.edit() as records:
            held = self._wanted(model, records[model]) if model in records else Wanted()
            if held.fence is not None and held.fence > fence:
                raise StaleFence(f"{model} was scaled by round {held.fence}, which is later than {fence}")
            if seen is not None and seen != held.version:
                raise ChangedSince(f"{model} was changed since version {seen}; it is at {held.version}")
            wanted = Wanted(replicas, fence, held.version + 1)
            records[model] = {
                "schema_version": SCHEMA_VERSION,
                "replicas": replicas,
                "fence": str(fence),
                "version": wanted.version,
            }
            return wanted

    def _wanted(self, model: str, record: Record) -> Wanted:
        try:
            fields = Fields(record, "it")
            return Wanted(fields.count("replicas"), Fence.parse(fields.text("fence")), fields.count("version"))
        except (DocumentInvalid, PermanentError) as exc:
            raise self._document.corrupt(f'record "{model}": {exc}') from exc
