"""A server that speaks Amazon Bedrock's Converse API on this machine: real HTTP, signatures checked, answers scripted.

What it does with a call is scripted by model id: the steps in order, the last one for every further call.
"""

import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.engines.aws import CREDENTIALS, REGION
from tests.support.engines.converse_script import Accident, Refuses, Says, Step
from tests.support.wire import PATIENCE_S

AMZ_JSON, AMZ_STREAM = "application/json", "application/vnd.amazon.eventstream"


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `signed` tells whether its signature is that of this machine's credentials over what came."""

    model_id: str
    operation: str
    body: dict[str, Any]
    signed: bool
    bearer: str | None


class ConverseServer:
    """What tests say to the server, and learn from it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._steps: dict[str, list[Step]] = {}
        self._calls: dict[str, list[Call]] = defaultdict(list)
        self._gates: dict[str, threading.Event] = defaultdict(threading.Event)
        self._left: dict[str, threading.Event] = defaultdict(threading.Event)
        self._lock = threading.Lock()

    def script(self, model_id: str, *steps: Step) -> str:
        """Returns the model id."""
        with self._lock:
            self._steps[model_id] = list(steps)
        return model_id

    def calls(self, model_id: str) -> Sequence[Call]:
        with self._lock:
            return tuple(self._calls[model_id])

    def open_gate(self, model_id: str) -> None:
        """What is gated of this model goes out, now and later."""
        with self._lock:
            gate = self._gates[model_id]
        gate.set()

    def caller_left(self, model_id: str) -> bool:
        """Whether a caller closes its connection before its answer is whole, as long as a test is patient."""
        with self._lock:
            left = self._left[model_id]
        return left.wait(PATIENCE_S)

    # The handler's side

    def take(self, call: Call) -> Step:
        with self._lock:
            self._calls[call.model_id].append(call)
            steps = self._steps.get(call.model_id) or [Says()]
            return steps.pop(0) if len(steps) > 1 else steps[0]

    def gate(self, model_id: str) -> threading.Event:
        with self._lock:
            return self._gates[model_id]

    def left(self, model_id: str) -> threading.Event:
        with self._lock:
            return self._left[model_id]


@contextlib.contextmanager
def converse_server() -> Iterator[ConverseServer]:
    """In threads of this process, on a port of its own."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.told = ConverseServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    told: ConverseServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that leave are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        _, prefix, quoted, operation = self.path.split("/")
        assert (prefix, operation in {"converse", "converse-stream"}) == ("model", True), self.path
        authorization = self.headers.get("authorization", "")
        bearer = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else None
        call = Call(unquote(quoted), operation, json.loads(raw), self._is_signed(raw), bearer)
        step = self.server.told.take(call)
        if not call.signed and bearer is None:
            step = Refuses(403, "InvalidSignatureException", "The request signature we calculated does not match")
        if isinstance(step, Refuses):
            self._whole(step.status, {"message": step.message}, (("x-amzn-errortype", f"{step.code}:http://x/"),))
        elif operation == "converse":
            self._wait_at_gate(call.model_id, step.gated)
            self._whole(200, step.document())
        else:
            self._stream(call.model_id, step)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Quiet."""

    def _whole(self, status: int, document: object, headers: Sequence[tuple[str, str]] = ()) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (*headers, ("content-type", AMZ_JSON), ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model_id: str, step: Says) -> None:
        self._wait_at_gate(model_id, step.gated)
        self.send_response(200)
        self.send_header("content-type", AMZ_STREAM)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, frame in enumerate(step.frames()):
            self._wait_at_gate(model_id, number == step.gated_after)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))
        if step.accident is Accident.SILENCE:
            self._wait_at_gate(model_id, True)
        if step.accident in (Accident.CUT, Accident.SILENCE):
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _wait_at_gate(self, model_id: str, gated: bool) -> None:
        """Until the gate opens, or the caller is gone."""
        gate = self.server.told.gate(model_id)
        while gated and not gate.wait(0.02):
            self.connection.setblocking(False)
            try:
                gone = self.connection.recv(1) == b""
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            finally:
                self.connection.setblocking(True)
            if gone:
                self.server.told.left(model_id).set()
                raise ConnectionResetError("the caller left")

    def _is_signed(self, raw: bytes) -> bool:
        """Signed anew, from what came over the wire, it has to be the same."""
        authorization = self.headers.get("authorization", "")
        if not authorization.startswith("AWS4-HMAC-SHA256 "):
            return False
        fields = dict(part.strip().split("=", 1) for part in authorization.split(" ", 1)[1].split(","))
        signed_names = fields["SignedHeaders"].split(";")
        headers = {name: self.headers[name] for name in signed_names}
        request = AWSRequest("POST", f"http://{self.headers['host']}{self.path}", headers, raw)
        request.context["timestamp"] = self.headers["x-amz-date"]
        key, secret = CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
        signer = SigV4Auth(Credentials(key, secret), "bedrock", REGION)
        expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        scope = f"{key}/{self.headers['x-amz-date'][:8]}/{REGION}/bedrock/aws4_request"
        return (fields["Credential"], fields["Signature"]) == (scope, expected)
