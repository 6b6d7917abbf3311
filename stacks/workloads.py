"""What runs on the cluster of one region: a release of the chart for each of its sites."""

from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from edgemind.domain.deployment import regional_stack
from stacks.base import PlannedStack
from stacks.compute import ComputeStack
from stacks.constructs.site_release import SiteRelease
from stacks.image_names import given
from stacks.images import ROOT, built
from stacks.plans import Environment
from stacks.site_values import site_values


class WorkloadsStack(PlannedStack):
    """`image` names images that are there already; None: they are built from this tree when it is deployed."""

    def __init__(
        self, scope: Construct, plan: Environment, region: str, compute: ComputeStack, image: str | None
    ) -> None:
        super().__init__(
            scope,
            regional_stack(plan.name, region, "workloads"),
            plan,
            region,
            "workloads",
            f"gateways, controllers and model servers in {region}",
        )
        images = built(self) if image is None else given(image)
        chart = s3_assets.Asset(self, "Chart", path=str(ROOT / "deploy" / "helm" / "edgemind"))
        for site in plan.sites_in(region):
            values = site_values(plan, site, images, plan.region(region).cidr)
            SiteRelease(self, f"Site-{site.name}", plan, site, compute.kubernetes, chart, values)
