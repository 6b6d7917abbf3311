"""The groups of packages: what is locked together, and where each is installed. docs/adr/0003 has the reasons."""

import hashlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Place(Enum):
    MAIN = "in .venv"
    FOLDER = "unpacked in .venvs/<name>, without its dependencies: only its data is used"
    OWN = "in .venvs/<name>, an environment of its own: it drags versions"


@dataclass(frozen=True, slots=True)
class Group:
    """One lock, requirements/<name>.lock.

    `extras` are those of pyproject.toml that it locks beside the core; None: it is made from requirements/<name>.in.
    `contains` names the groups that it has whole. An `optional` group that cannot be had does not stop a command.
    """

    name: str
    about: str
    extras: tuple[str, ...] | None = ()
    contains: frozenset[str] = frozenset()
    optional: bool = False
    place: Place = Place.MAIN

    def lock_path(self, root: Path) -> Path:
        return root / "requirements" / f"{self.name}.lock"

    def lock_sha256(self, root: Path) -> str:
        return hashlib.sha256(self.lock_path(root).read_bytes()).hexdigest()


CORE = Group("core", "what a gateway or controller needs")
DEMO = Group("demo", "the demo's table and status page", ("demo",), frozenset({"core"}))
AWS = Group("aws", "the stores on AWS", ("aws",), frozenset({"core"}))
AGENTS = Group("agents", "the Strands agents and MCP", ("aws", "agents"), frozenset({"core", "aws"}), optional=True)
TELEMETRY = Group("telemetry", "traces by OTLP", ("telemetry",), frozenset({"core"}), optional=True)
CERTS = Group("certs", "making certificates", ("certs",), frozenset({"core"}))
DEV = Group(
    "dev",
    "tests and checks",
    ("demo", "aws", "certs", "agents", "telemetry", "dev"),
    frozenset({"core", "demo", "aws", "certs", "agents", "telemetry"}),
)
INFRA = Group("infra", "the CDK app and its checks", ("aws", "infra"), frozenset({"core", "aws"}), optional=True)
BENCH = Group("bench", "the peers of the gateway benchmark", ("bench",), frozenset({"core"}), optional=True)
LLAMA = Group("llama", "the llama.cpp engine", ("llama",), frozenset({"core"}), optional=True)
SMOLLM2 = Group("smollm2", "the SmolLM2-135M model file", None, optional=True, place=Place.FOLDER)
SGLANG_ROUTER = Group("sglang-router", "a peer of the gateway benchmark", None, optional=True, place=Place.OWN)
LITELLM = Group("litellm", "a peer of the gateway benchmark", None, optional=True, place=Place.OWN)
MINISTACK = Group("ministack", "an AWS on this machine, for tests", None, optional=True, place=Place.OWN)
CHECKOV = Group("checkov", "a scanner of templates and charts", None, optional=True, place=Place.OWN)
VALKEY = Group("valkey", "the server in the Valkey image", None, optional=True, place=Place.FOLDER)

# DEV first: the other groups in .venv are locked to agree with it.
GROUPS = (
    DEV,
    DEMO,
    CORE,
    AWS,
    CERTS,
    AGENTS,
    TELEMETRY,
    INFRA,
    BENCH,
    LLAMA,
    SMOLLM2,
    SGLANG_ROUTER,
    LITELLM,
    MINISTACK,
    CHECKOV,
    VALKEY,
)
ENGINES = (LLAMA, SMOLLM2)
# What cannot be had of it, the tests skip with a reason.
TESTED = (DEV, *ENGINES, BENCH, INFRA)
# Engines and scanners with an environment of their own.
TESTED_APART = (MINISTACK, CHECKOV)
PEERS = (SGLANG_ROUTER, LITELLM)
