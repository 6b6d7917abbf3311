"""The images that a deployment runs: built from this tree when it is deployed, or named by `-c image=`."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = {
    "gateway": ("gateway", {}),
    "controller": ("controller", {}),
    # With llama.cpp and a small model inside: real inference without a download.
    "modelServer": ("model-server", {"ENGINE": "llama_cpp"}),
    "dashboard": ("dashboard", {}),
}
"""The chart's name of each image, its Dockerfile, and the arguments it is built with."""


@dataclass(frozen=True, slots=True)
class Image:
    repository: str
    tag: str


def given(image: str) -> dict[str, Image]:
    """The images behind `REGISTRY/PREFIX:TAG`: `REGISTRY/PREFIX-gateway:TAG` and so on."""
    prefix, _, tag = image.rpartition(":")
    return {family: Image(f"{prefix}-{name}", tag) for family, (name, _) in FAMILIES.items()}


def built(scope: Construct) -> dict[str, Image]:
    """Images as assets. Synthesis only takes the fingerprint of what goes into them; docker is asked at the deploy."""
    images = {}
    for family, (name, arguments) in FAMILIES.items():
        asset = ecr_assets.DockerImageAsset(
            scope,
            f"Image-{name}",
            directory=str(ROOT),
            file=f"deploy/docker/{name}.Dockerfile",
            build_args=arguments or None,
            platform=ecr_assets.Platform.LINUX_AMD64,
            asset_name=f"edgemind-{name}",
        )
        images[family] = Image(asset.repository.repository_uri, asset.image_tag)
    return images
