"""A command in a terminal with a person before it who says yes: some commands refuse to go on without one."""

import os
import pty
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_QUESTION = b"(y/n)"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_BLOCK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Session:
    """How a command ended and what it showed, without colours. `asked`: how often it wanted a yes."""

    code: int
    text: str
    asked: int


def in_terminal(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Session:
    """Run a command to its end; every "(y/n)" is answered with y."""
    here, there = pty.openpty()
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=there, stdout=there, stderr=there, start_new_session=True
        )
        os.close(there)
        try:
            shown, asked = _watch(here)
        except BaseException:
            process.kill()
            raise
        finally:
            code = process.wait()
    finally:
        os.close(here)
    return Session(code, shown, asked)


def _watch(terminal: int) -> tuple[str, int]:
    """Reads as fast as it can: a command whose terminal is full may give up."""
    shown, line, number, answered = bytearray(), b"", 0, set[int]()
    while True:
        try:
            block = os.read(terminal, _BLOCK_BYTES)
        except OSError:
            # Linux tells the end of a terminal in this way.
            block = b""
        if not block:
            return _CONTROL.sub("", shown.decode(errors="replace")), len(answered)
        shown += block
        number += block.count(b"\n")
        line = (line + block).rpartition(b"\n")[2]
        # A question is drawn again on its line while it is answered: it counts once.
        if _QUESTION in line and number not in answered:
            answered.add(number)
            os.write(terminal, b"y\r")
