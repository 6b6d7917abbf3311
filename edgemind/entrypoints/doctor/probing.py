"""Many looks at once, each in a thread of its own, and none that holds up the whole."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgemind.domain.checkup import Observation, Standing
from edgemind.errors import EdgeMindError

AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Probe:
    """One look. `mend` is what to do if it fails in a way that does not say so itself."""

    subject: str
    look: Callable[[], Sequence[Observation]]
    mend: str = ""


def observe(probes: Sequence[Probe], limit_s: float) -> list[Observation]:
    """In the order of the probes. One without an answer after `limit_s` is a finding: its thread is left behind."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    found: dict[int, Sequence[Observation]] = {}
    answered = threading.Semaphore(0)
    for place in range(len(probes)):
        waiting.put(place)

    def work() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            found[place] = _looked(probes[place])
            answered.release()

    for _ in range(min(AT_ONCE, len(probes))):
        # Daemons: one that hangs in a call without a limit must not keep the command from ending.
        threading.Thread(target=work, daemon=True).start()
    give_up_s = time.monotonic() + limit_s
    for _ in probes:
        if not answered.acquire(timeout=max(0.0, give_up_s - time.monotonic())):
            break
    silent = f"no answer within {limit_s:g} s"
    return [
        one
        for place, probe in enumerate(probes)
        for one in found.get(place, [Observation(probe.subject, Standing.BAD, silent, probe.mend)])
    ]


def _looked(probe: Probe) -> Sequence[Observation]:
    try:
        return probe.look()
    except EdgeMindError as exc:
        return [Observation(probe.subject, Standing.BAD, str(exc), probe.mend)]
    except Exception as exc:  # noqa: BLE001 - the edge of a probe: one that fails must not hide what the others found
        found = f"could not be looked at: {type(exc).__name__}: {exc}"
        return [Observation(probe.subject, Standing.BAD, found, probe.mend)]
