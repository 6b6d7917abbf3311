"""Several workers on one site: bind once, start them, replace one that dies, stop them together."""

import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

POLL_S = 0.2
RESTART_AFTER_S = 1.0
"""A worker that dies at once is not started again sooner, so that a broken one does not burn a core."""

log = logging.getLogger("edgemind.gateway")


@dataclass(slots=True)
class Slot:
    """One worker's place: its own admin socket outlives the process in it."""

    number: int
    admin: socket.socket
    process: "subprocess.Popen[bytes] | None" = None
    started_s: float = field(default=0.0)


class Supervisor:
    """`arguments(worker)` are the command-line arguments of a worker, before its sockets' numbers."""

    def __init__(
        self, data: socket.socket, admins: Sequence[socket.socket], arguments: Callable[[int], list[str]]
    ) -> None:
        self._data = data
        self._slots = [Slot(number, admin) for number, admin in enumerate(admins)]
        self._arguments = arguments
        self._stopping = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT. The exit code is 0 after an ordered stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        for slot in self._slots:
            self._start(slot)
        while not self._stopping:
            time.sleep(POLL_S)
            self._replace_dead()
        # Workers accept until their drain ends; this copy of the socket must not keep the port open after them.
        self._data.close()
        # Once more: a worker that was being started when the signal came has not got it.
        self._signal(signal.SIGTERM)
        for slot in self._slots:
            if slot.process is not None:
                slot.process.wait()
        return 0

    def _start(self, slot: Slot) -> None:
        sockets = [self._data.fileno(), slot.admin.fileno()]
        command = [sys.executable, "-m", "edgemind", *self._arguments(slot.number)]
        command += ["--inherit", ",".join(map(str, sockets))]
        slot.process = subprocess.Popen(command, pass_fds=sockets, start_new_session=True)
        slot.started_s = time.monotonic()

    def _replace_dead(self) -> None:
        for slot in self._slots:
            code = slot.process.poll() if slot.process is not None else None
            if code is not None and not self._stopping and time.monotonic() - slot.started_s > RESTART_AFTER_S:
                log.error("gateway worker %d ended with exit code %d; starting it again", slot.number, code)
                self._start(slot)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        self._signal(signal.SIGTERM)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._signal(signal.SIGHUP)

    def _signal(self, number: int) -> None:
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is None:
                slot.process.send_signal(number)
