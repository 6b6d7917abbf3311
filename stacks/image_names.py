"""The images that a deployment runs, and what they are called. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    repository: str
    tag: str


@dataclass(frozen=True, slots=True)
class Family:
    """What one Dockerfile builds: its name, and the arguments it is built with."""

    name: str
    arguments: Mapping[str, str]

    @property
    def dockerfile(self) -> str:
        return f"deploy/docker/{self.name}.Dockerfile"


FAMILIES: Mapping[str, Family] = {
    "gateway": Family("gateway", {}),
    "controller": Family("controller", {}),
    # With llama.cpp and a small model inside: real inference without a download.
    "modelServer": Family("model-server", {"ENGINE": "llama_cpp"}),
    "dashboard": Family("dashboard", {}),
}
"""By the name that the chart has for each."""


def given(image: str) -> dict[str, Image]:
    """The images behind `REGISTRY/PREFIX:TAG`: `REGISTRY/PREFIX-gateway:TAG` and so on."""
    prefix, _, tag = image.rpartition(":")
    return {key: Image(f"{prefix}-{family.name}", tag) for key, family in FAMILIES.items()}
