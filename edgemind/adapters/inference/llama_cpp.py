"""llama.cpp in this process, through the wheel xllamacpp: requests and answers as JSON texts.

Its own HTTP server stays shut away on a socket file that is removed at once. Measured against it: an unstreamed request
goes on after its client has hung up (a streamed one too, until its first token), a thread serves one connection even
while that idles, an idle connection is cut after 5 s and any after 100 requests. In front of this class stands a server
without these traits.
"""

import contextlib
import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from edgemind.adapters.inference.llama_wheels import ENGINE_MODULE
from edgemind.errors import ConfigurationError, PermanentError

BATCH_TOKENS = 64
"""Prompt tokens evaluated at a time. Smaller than usual: it bounds the wait until a cancelled request stops and until
the other slots get their next token (0.4 s on a slow core), and costs 4 % of prompt speed against 512."""


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """`context_tokens` are for one slot, prompt and answer together; each costs memory (23 kB with SmolLM2-135M)."""

    model: str
    weights: Path
    slots: int
    context_tokens: int = 1024
    threads: int = 1
    default_max_tokens: int = 256
    verbose: bool = False


class RequestInvalid(PermanentError):
    """The engine refuses the request; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Server(Protocol):
    """What is used of xllamacpp.Server. A callback gets each piece and returns True to stop."""

    def handle_chat_completions(self, prompt: str, callback: Callable[[str], bool]) -> None: ...

    def handle_completions(self, prompt: str, callback: Callable[[str], bool]) -> None: ...


class LlamaEngine:
    """One loaded model. `chat` and `complete` block, release the GIL, and may run in one thread for each slot.

    Both hand each piece of the answer (a JSON text: one document, or one event after the other with `stream`) to
    `on_piece` in the calling thread, until it returns True. They raise RequestInvalid.
    """

    def __init__(self, server: _Server) -> None:
        self._server = server

    def close(self) -> None:
        """Free the model. No call may be under way; none may follow."""
        del self._server

    def chat(self, request: str, on_piece: Callable[[str], bool]) -> None:
        _run(self._server.handle_chat_completions, request, on_piece)

    def complete(self, request: str, on_piece: Callable[[str], bool]) -> None:
        _run(self._server.handle_completions, request, on_piece)


@contextlib.contextmanager
def llama_engine(options: LlamaOptions) -> Iterator[LlamaEngine]:
    """Load the weights (about 0.3 s; they are mapped, so processes share them). Raises ConfigurationError.

    Only in the main thread. No call may be under way when the block ends.
    """
    # Its own server has to listen somewhere: on a file that is gone before anybody, or a kill -9, can find it.
    with tempfile.TemporaryDirectory(prefix="edgemind-") as folder, _signals_kept():
        engine = LlamaEngine(_load(options, f"{folder}/llama.sock"))
    try:
        yield engine
    finally:
        engine.close()


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Loading installs handlers that stop the engine and leave the process running without it: put ours back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _load(options: LlamaOptions, socket_file: str) -> _Server:
    try:
        wheel = import_module(ENGINE_MODULE)
    except (ImportError, OSError) as exc:
        raise ConfigurationError(f"llama.cpp cannot be loaded ({exc}); reinstall {ENGINE_MODULE}") from exc
    try:
        return cast(_Server, wheel.Server(_parameters(wheel, options, socket_file)))
    except AttributeError as exc:
        raise ConfigurationError(f"this version of {ENGINE_MODULE} is another than EdgeMind knows ({exc})") from exc
    except RuntimeError as exc:
        raise ConfigurationError(
            f"llama.cpp cannot load {options.weights}: the file is damaged or incomplete, or memory is short; "
            "reinstall or replace it, --verbose shows llama.cpp's own words"
        ) from exc


def _parameters(wheel: ModuleType, options: LlamaOptions, socket_file: str) -> object:
    params = wheel.CommonParams()
    params.model.path = str(options.weights)
    params.model_alias = {options.model}
    params.hostnames = [socket_file]
    params.n_threads_http = 1
    params.ui = False
    params.n_parallel = options.slots
    params.n_ctx = options.slots * options.context_tokens
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_predict = options.default_max_tokens
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.n_gpu_layers = 0
    # Off: it would size the context to all memory there is, and the prompt cache may grow to 8 GB.
    params.fit_params = False
    params.cache_ram_mib = 0
    params.verbosity = 3 if options.verbose else 0
    return cast(object, params)


def _run(handle: Callable[[str, Callable[[str], bool]], None], request: str, on_piece: Callable[[str], bool]) -> None:
    refusals: list[RequestInvalid] = []

    def take(piece: str) -> bool:
        refusal = _refusal(piece)
        if refusal is None:
            return on_piece(piece)
        refusals.append(refusal)
        return True

    try:
        handle(request, take)
    except (ValueError, RuntimeError) as exc:
        # What the parser of the request throws; both kinds speak of the request.
        raise RequestInvalid(str(exc)) from exc
    if refusals:
        raise refusals[0]


def _refusal(piece: str) -> RequestInvalid | None:
    """An error comes as a piece like any other."""
    if not piece.startswith('{"error":'):
        return None
    error = json.loads(piece)["error"]
    return RequestInvalid(
        str(error.get("message", "refused")), int(error.get("code", 500)), str(error.get("type", "server_error"))
    )
