"""For sites without a disk, and for tests: a controller that starts again learns only of the newest round."""

from collections.abc import Mapping

from edgemind.domain.swarm.scale_task import ScaleTask


class MemoryEffectJournal:
    """`EffectJournal`."""

    def __init__(self) -> None:
        self._tasks: dict[str, ScaleTask] = {}

    def read(self) -> Mapping[str, ScaleTask]:
        return dict(self._tasks)

    def write(self, task: ScaleTask) -> None:
        held = self._tasks.get(task.model)
        if held is None or held.fence <= task.fence:
            self._tasks[task.model] = task

    def forget(self, model: str) -> None:
        self._tasks.pop(model, None)
