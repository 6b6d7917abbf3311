"""What an unmodified OpenAI client can ask of EdgeMind, against the demo that runs in this folder or one of its own.

Needs the package `openai`, which `./run test` has installed.
"""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from openai import APIStatusError, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from examples.processes import Processes

MODEL = "simulated-llm"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]


def main() -> None:
    base_port = int(sys.argv[1]) if len(sys.argv) > 1 else 8100
    with ExitStack() as stack:
        folder = Path.cwd()
        if not (folder / ".edgemind/fleet.json").exists():
            folder = start_demo(stack.enter_context(Processes()), base_port)
        demo = folder / ".edgemind/demo"
        gateway_url = yaml.safe_load((demo / "edgemind.yaml").read_text(encoding="utf-8"))["sites"][0]["gateway"]
        client = OpenAI(base_url=f"{gateway_url}/v1", api_key=(demo / "key").read_text(encoding="utf-8").strip())
        decision_id = receipt(client)
        streaming(client)
        deadline(client)
        session(client)
        residency(client)
        explain(decision_id, folder)


def start_demo(processes: Processes, base_port: int) -> Path:
    """Simulated, and with next to no traffic of its own."""
    flags = ["--backend", "simulated", "--no-dashboard", "--rate", "1", "--base-port", str(base_port)]
    print("no demo runs in this folder: starting one ...", flush=True)
    processes.edgemind("demo", "demo", *flags, ready="Ask it something")
    return processes.folder


def receipt(client: OpenAI) -> str:
    """Every answer tells which decision it comes from; OpenAI's client calls the id `_request_id`."""
    completion = client.chat.completions.create(model=MODEL, messages=HELLO)
    print("answer     ", completion.choices[0].message.content)
    print("decision   ", completion._request_id)
    return str(completion._request_id)


def streaming(client: OpenAI) -> None:
    stream = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    print("stream     ", f"{len(pieces)} pieces:", "".join(pieces))


def where(client: OpenAI, headers: dict[str, str]) -> str:
    """One request with headers of its own: where it ran and why, or why it was refused."""
    try:
        completions = client.chat.completions.with_raw_response
        answer = completions.create(model=MODEL, messages=HELLO, extra_headers=headers)
    except APIStatusError as refused:
        error: Any = refused.body
        return f"{refused.status_code} {error['code']}: {error['message']}"
    return f"{answer.headers['x-edgemind-site']} ({answer.headers['x-edgemind-reason']})"


def deadline(client: OpenAI) -> None:
    """A request that could not be answered in time is refused at once; the client is told not to try again."""
    for deadline_ms in ("5000", "50"):
        print("deadline   ", f"{deadline_ms} ms:", where(client, {"x-edgemind-deadline-ms": deadline_ms}))


def session(client: OpenAI) -> None:
    """A session goes where it went before, while that costs next to nothing: its caches are warm there."""
    visits = []
    for _ in range(3):
        answer = client.embeddings.with_raw_response.create(
            model="simulated-embedder", input="a photo", extra_headers={"x-edgemind-session": "album-42"}
        )
        visits.append(f"{answer.headers['x-edgemind-site']} ({answer.headers['x-edgemind-reason']})")
    print("session    ", ", then ".join(visits))


def residency(client: OpenAI) -> None:
    """A hard limit: a request stays inside its zones, or is refused."""
    for zone in ("nl", "us"):
        print("residency  ", f"{zone}:", where(client, {"x-edgemind-residency": zone}))


def explain(decision_id: str, folder: Path) -> None:
    """The same as `edgemind decisions explain ID`, which finds the demo by its folder."""
    print(flush=True)
    command = [sys.executable, "-m", "edgemind", "decisions", "explain", decision_id]
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    main()
