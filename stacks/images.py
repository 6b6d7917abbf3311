"""Images built from this tree."""

from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from stacks.image_names import FAMILIES, Image

ROOT = Path(__file__).resolve().parents[1]


def built(scope: Construct) -> dict[str, Image]:
    """Images as assets. Synthesis only takes the fingerprint of what goes into them; docker is asked at the deploy."""
    images = {}
    for key, family in FAMILIES.items():
        asset = ecr_assets.DockerImageAsset(
            scope,
            f"Image-{family.name}",
            directory=str(ROOT),
            file=family.dockerfile,
            build_args=family.arguments or None,
            platform=ecr_assets.Platform.LINUX_AMD64,
            asset_name=f"edgemind-{family.name}",
        )
        images[key] = Image(asset.repository.repository_uri, asset.image_tag)
    return images
