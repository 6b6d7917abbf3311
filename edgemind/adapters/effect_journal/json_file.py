"""`effects-<site>.json` beside the state: read by one controller, written by one, or by its successor."""

from collections.abc import Mapping
from pathlib import Path

from edgemind.adapters.state_store.json_document import DocumentKind, JsonDocument
from edgemind.adapters.state_store.records import SCHEMA_VERSION, Record
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.scale_task import ScaleTask, Step
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.errors import PermanentError

_RECOVERY = (
    "Move it aside and start the controller again: what was decided and not finished is given up, the replicas there "
    "are stay, and the next round decides anew."
)


class JsonFileEffectJournal:
    """`EffectJournal`."""

    def __init__(self, directory: Path, site: str, lock_timeout_s: float = 5.0) -> None:
        kind = DocumentKind(f"effects-{site}.json", _RECOVERY, remade=True)
        self._document = JsonDocument(directory, kind, lock_timeout_s)

    def read(self) -> Mapping[str, ScaleTask]:
        return {model: self._task(model, record) for model, record in self._document.read().items()}

    def write(self, task: ScaleTask) -> None:
        with self._document.edit() as records:
            held = self._task(task.model, records[task.model]) if task.model in records else None
            if held is None or held.fence <= task.fence:
                records[task.model] = _record(task)

    def forget(self, model: str) -> None:
        with self._document.edit() as records:
            records.pop(model, None)

    def _task(self, model: str, record: Record) -> ScaleTask:
        try:
            fields = Fields(record, "it")
            return ScaleTask(
                model,
                fields.count("target"),
                Fence.parse(fields.text("fence")),
                fields.count("before") if record.get("before") is not None else None,
                fields.count("base") if record.get("base") is not None else None,
                Step(fields.text("step")),
            )
        except (DocumentInvalid, PermanentError, ValueError) as exc:
            raise self._document.corrupt(f'record "{model}": {exc}') from exc


def _record(task: ScaleTask) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "target": task.target,
        "fence": str(task.fence),
        "before": task.before,
        "base": task.base,
        "step": task.step.value,
    }
