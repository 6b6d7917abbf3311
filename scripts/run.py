"""Start of every `./run` command. Errors become one line; an interrupted command leaves nothing running."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
# Python runs isolated here (-I), so that no PYTHONPATH can change what an installation sees.
sys.path.insert(0, str(ROOT))

from scripts.commands import dispatch  # noqa: E402
from scripts.trouble import Trouble, explain_os_error  # noqa: E402


def stop(signum: int, _frame: FrameType | None) -> None:
    """SIGTERM and SIGHUP unwind like Ctrl-C, so that a running pip is ended too."""
    raise KeyboardInterrupt(signum)


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    # Many shells in containers have it, to keep images small. Here every process would compile everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        return dispatch(ROOT, sys.argv[1:])
    except Trouble as trouble:
        print(f"run: {trouble}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"run: {explain_os_error(error, ROOT)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        signum = interrupt.args[0] if interrupt.args else signal.SIGINT
        print("\nrun: stopped; the same command goes on from here", file=sys.stderr)
        return 128 + int(signum)


if __name__ == "__main__":
    sys.exit(main())
