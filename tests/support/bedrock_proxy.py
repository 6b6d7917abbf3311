"""The Bedrock proxy as a process of its own, in front of the Converse server."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.engines.aws import REGION
from tests.support.model_servers import PATIENCE_S, ROOT

MAIN = "from edgemind.entrypoints.bedrock_proxy.command import bedrock_proxy; bedrock_proxy()"
SITE = {"name": "site-a", "models": [{"name": "m", "base_url": "http://127.0.0.1:1/v1", "slots": 1, "service_ms": 1}]}


@dataclass(frozen=True, slots=True)
class Proxy:
    process: "subprocess.Popen[str]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def bedrock_group(endpoint_url: str, names: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """`names`: the proxy's names by Bedrock's ids. `more` holds fields of the group; those under `models` are each
    model's, by its name."""
    fields: Mapping[str, Mapping[str, Any]] = more.pop("models", {})
    models = [{"name": name, "model_id": model_id, **fields.get(name, {})} for model_id, name in names.items()]
    return {"region": REGION, "endpoint_url": endpoint_url, "models": models, **more}


def write_config(folder: Path, bedrock: Mapping[str, Any], **groups: Any) -> Path:
    file = folder / "edgemind.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "auth": "off", "sites": [SITE], "bedrock": dict(bedrock), **groups}))
    return file


def start(
    config: Path, port: int, environment: Mapping[str, str] | None = None, host: str = "127.0.0.1"
) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", MAIN, "--config", str(config), "--listen", f"{host}:{port}"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=None if environment is None else dict(environment),
    )  # fmt: skip


@contextmanager
def running(config: Path, port: int) -> Iterator[Proxy]:
    """One that has said it is ready; stopped, if need be killed, afterwards."""
    process = start(config, port)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), process.communicate()[1]
        yield Proxy(process, port)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
