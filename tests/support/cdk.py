"""The CDK's command line on an AWS of this machine, as a person uses it: in the tree, in a terminal, in plain words."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts import cdk
from scripts.npm import find_node
from tests.support.engines.aws import LocalAws
from tests.support.terminal import Session, in_terminal

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "registry.example.com/edgemind:0.0.0"


def why_not() -> str | None:
    """Why it cannot be called here; None if it can."""
    if not (ROOT / cdk.PROGRAM).exists():
        return "no CDK command line: `./run test` installs it with npm"
    return None if find_node(ROOT) else "there is no Node.js, which the CDK runs on"


@dataclass(frozen=True, slots=True)
class Cdk:
    """`home` is a home folder whose settings give the account of the engine, and images, so that none is built."""

    aws: LocalAws
    home: Path

    def __call__(self, words: str, *more: str) -> Session:
        """Run `cdk WORDS` in the tree; `more` are arguments with spaces in them."""
        self._settle()
        environment = {**cdk.environment(ROOT), **self.aws.environment(), "HOME": str(self.home), "NO_COLOR": "1"}
        environment["PATH"] = cdk.environment(ROOT)["PATH"]
        return in_terminal(cdk.command(ROOT, [*words.split(), *more]), ROOT, environment)

    @property
    def context(self) -> dict[str, str]:
        return {"account": self.aws.account, "image": IMAGE}

    def _settle(self) -> None:
        self.home.mkdir(exist_ok=True)
        settings = {"context": self.context, "progress": "events", "notices": False}
        (self.home / ".cdk.json").write_text(json.dumps(settings), encoding="utf-8")

    def stacks(self, *regions: str) -> Mapping[str, str]:
        """Status by name of every stack that is there in these regions, but the CDK's own."""
        found: dict[str, str] = {}
        for region in regions:
            client = LocalAws(self.aws.about, self.aws.endpoint_url, region).client("cloudformation")
            for page in client.get_paginator("describe_stacks").paginate():
                found |= {stack["StackName"]: stack["StackStatus"] for stack in page["Stacks"]}
        return {name: status for name, status in found.items() if name != "CDKToolkit"}


def marked(session: Session, words: str = "") -> list[str]:
    """The stacks that a deploy or destroy marks as done, in order."""
    return re.findall(rf"✅\s+([\w-]+){words}\s*$", session.text, re.MULTILINE)
