"""Stands in for vLLM, llama.cpp or any other OpenAI-compatible server: speaks the protocol, runs no model.

Usage: stand_in_server.py HOST:PORT NAME
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICE_S = 0.1
SLOTS = threading.Semaphore(4)


class StandIn(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    name = "?"

    def do_GET(self) -> None:
        self._answer({"object": "list", "data": [{"id": "my-model", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with SLOTS:
            time.sleep(SERVICE_S)
        message = {"role": "assistant", "content": f"Stand-in {self.name} here. I run no model and just wait 100 ms."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._answer({"object": "chat.completion", "model": body["model"], "choices": [choice]})

    def _answer(self, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing per request."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    host, _, port = sys.argv[1].partition(":")
    StandIn.name = sys.argv[2]
    Server((host, int(port)), StandIn).serve_forever()
