"""What every stack of the app has: its name, place, tags and protection."""

from collections.abc import Mapping

import jsii
from aws_cdk import CfnOutput, Environment, RemovalPolicy, Stack, Tags
from constructs import Construct

from stacks.plans import Environment as Plan


class PlannedStack(Stack):
    """A stack of one environment in one region. `part` says what it holds; `zones` are the region's availability zones.

    The zones come from the data, so that synthesis asks no account and gives everybody the same template.
    """

    def __init__(
        self, scope: Construct, name: str, plan: Plan, region: str, part: str, description: str, protected: bool = False
    ) -> None:
        # Before super: the base class may ask for the zones while it is being built.
        self._zones = list(plan.region(region).cluster_zones)
        super().__init__(
            scope,
            name,
            stack_name=name,
            description=f"EdgeMind {plan.name}: {description}",
            env=Environment(account=plan.account, region=region),
            termination_protection=plan.protected and protected,
        )
        self.plan = plan
        for key, value in {"project": "edgemind", "environment": plan.name, "part": part, "region": region}.items():
            Tags.of(self).add(f"edgemind:{key}", value)

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        return self._zones

    @property
    def removal(self) -> RemovalPolicy:
        """What becomes of stored data when it leaves the template: kept where the environment is protected."""
        return RemovalPolicy.RETAIN if self.plan.protected else RemovalPolicy.DESTROY

    def publish(self, outputs: Mapping[str, str]) -> None:
        """Outputs under exactly these names; the core finds the deployment by them."""
        for name, value in outputs.items():
            CfnOutput(self, name, value=value).override_logical_id(name)
