"""A small real API server: Deployments that are read and patched, and every write compares `resourceVersion`."""

import copy
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMESPACE = "metro-a"
TOKEN = "service-account-token"


@dataclass
class Cluster:
    """Deployments by name. `failing` is answered to everything, `writes` are the versions that writes rested on."""

    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str = TOKEN
    failing: int | None = None
    writes: list[str] = field(default_factory=list)
    ready: dict[str, int] = field(default_factory=dict)
    """What is ready, by name, where it is not what is wanted."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, replicas: int | None = None) -> None:
        spec: dict[str, Any] = {"template": {"spec": {}}} | ({} if replicas is None else {"replicas": replicas})
        self.deployments[name] = {"metadata": {"name": name, "resourceVersion": "1"}, "spec": spec}

    def touch(self, name: str) -> None:
        """Somebody else writes: the version moves on."""
        with self._lock:
            metadata = self.deployments[name]["metadata"]
            metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)

    def answer(self, method: str, path: str, token: str | None, kind: str | None, body: bytes) -> tuple[int, Any]:
        head, _, name = path.rpartition("/")
        if self.failing is not None:
            return self.failing, {"kind": "Status", "message": "failing"}
        if token != f"Bearer {self.token}":
            return 401, {"kind": "Status", "message": "Unauthorized"}
        if head != f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments" or name not in self.deployments:
            return 404, {"kind": "Status", "message": f'deployments.apps "{name}" not found'}
        if method == "GET":
            return 200, self._shown(name)
        if kind != "application/merge-patch+json":
            return 415, {"kind": "Status", "message": "unsupported media type"}
        return self._patch(name, json.loads(body))

    def _patch(self, name: str, patch: dict[str, Any]) -> tuple[int, Any]:
        with self._lock:
            held = self.deployments[name]
            version = patch.get("metadata", {}).get("resourceVersion")
            if version is not None and version != held["metadata"]["resourceVersion"]:
                return 409, {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
            self.writes.append(version)
            _merge(held, patch)
            held["metadata"]["resourceVersion"] = str(int(held["metadata"]["resourceVersion"]) + 1)
        return 200, self._shown(name)

    def _shown(self, name: str) -> dict[str, Any]:
        shown = copy.deepcopy(self.deployments[name])
        shown["spec"].setdefault("replicas", 1)
        shown["status"] = {"readyReplicas": self.ready.get(name, shown["spec"]["replicas"])}
        return shown


def _merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    """RFC 7396."""
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


@contextmanager
def serving(cluster: Cluster, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The server's address; https with a certificate and its key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            token, kind = self.headers.get("authorization"), self.headers.get("content-type")
            status, document = cluster.answer(self.command, self.path, token, kind, body)
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def service_account(folder: Path, ca: Path | None = None) -> Path:
    """What a pod finds mounted."""
    folder.mkdir(exist_ok=True)
    (folder / "namespace").write_text(NAMESPACE, encoding="utf-8")
    (folder / "token").write_text(TOKEN + "\n", encoding="utf-8")
    if ca is not None:
        (folder / "ca.crt").write_bytes(ca.read_bytes())
    return folder
