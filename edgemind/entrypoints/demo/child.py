"""What every process of the demo begins with: it runs a module, and ends with the demo, however that ends.

`python -m edgemind.entrypoints.demo.child FD NICENESS MODULE ARGUMENT...`: FD is the reading end of a pipe whose other
end only the demo holds. Nothing is ever written to it: its end means that the demo is gone, killed or not, and so is
this process then. A flag of the kernel could do the same, on Linux only.
"""

import os
import runpy
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def end_with(lifeline: int) -> None:
    """Watch the pipe in a thread of its own; main threads are busy, and some are in other people's event loops."""
    threading.Thread(target=_watch, args=(lifeline,), name="lifeline", daemon=True).start()


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    # The whole group: a process that started others takes them along. There is nobody left to be orderly for.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def give_way(niceness: int) -> None:
    """To whoever else wants the processor. Linux shares it among sessions first where that is on, and each of the
    demo's processes has a session of its own."""
    os.nice(niceness)
    with suppress(OSError):
        AUTOGROUP.write_text(str(niceness), encoding="ascii")


def main(arguments: list[str]) -> None:
    lifeline, niceness, module, *rest = arguments
    end_with(int(lifeline))
    if niceness != "0":
        give_way(int(niceness))
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
