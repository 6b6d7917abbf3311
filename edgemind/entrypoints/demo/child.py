"""What every process of the demo begins with: it runs a module, and ends with the demo, however that ends.

`python -m edgemind.entrypoints.demo.child FD MODULE ARGUMENT...`: FD is the reading end of a pipe whose other end only
the demo holds. Nothing is ever written to it: its end means that the demo is gone, killed or not, and so is this
process then. A flag of the kernel could do the same, on Linux only.
"""

import os
import runpy
import signal
import sys
import threading


def end_with(lifeline: int) -> None:
    """Watch the pipe in a thread of its own; main threads are busy, and some are in other people's event loops."""
    threading.Thread(target=_watch, args=(lifeline,), name="lifeline", daemon=True).start()


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    # The whole group: a process that started others takes them along. There is nobody left to be orderly for.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(arguments: list[str]) -> None:
    lifeline, module, *rest = arguments
    end_with(int(lifeline))
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
