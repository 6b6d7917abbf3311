"""What an environment needs of its account: `python -m stacks.needs -c env=NAME`, as JSON for `edgemind check aws`."""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from edgemind.domain.deployment_needs import DeploymentNeeds, Quota, RegionNeeds
from edgemind.errors import ConfigurationError
from stacks.environment_checks import choose_environment
from stacks.plans import Environment
from stacks.zones import ZoneProfile

BOOTSTRAP_VERSION = 6
"""The oldest that the CDK's assemblies of this version take, as their manifests say."""
AGENT_VCPUS = 1
"""On Fargate: one agent of one vCPU at each site that asks for it."""
_SIZE = re.compile(r"(?P<family>[a-z]+)[0-9a-z-]*\.(?P<times>[0-9]*)(?P<size>medium|large|xlarge)")
_VCPUS = {"medium": 2, "large": 2, "xlarge": 4}


def vcpus_of(instance_type: str) -> int:
    """By its size: the same in every family that we use. ConfigurationError for one that the rule does not cover."""
    named = _SIZE.fullmatch(instance_type)
    if named is None:
        raise ConfigurationError(f"the vCPUs of {instance_type} are not known: stacks/needs.py has the rule")
    return int(named["times"] or 1) * _VCPUS[named["size"]]


def needs_of(plan: Environment) -> DeploymentNeeds:
    return DeploymentNeeds(
        plan.name, plan.account, BOOTSTRAP_VERSION, tuple(_region_needs(plan, region.name) for region in plan.regions)
    )


def _region_needs(plan: Environment, region: str) -> RegionNeeds:
    sites = plan.sites_in(region)
    quotas = Counter({Quota.VPCS: 1, Quota.STANDARD_SPOT_VCPUS: plan.cluster.spot_cpu_limit})
    quotas[Quota.FARGATE_VCPUS] = AGENT_VCPUS * sum(site.fargate for site in sites)
    groups = [(plan.cluster.instance_type, plan.cluster.nodes)]
    groups += [(site.nodes.instance_type, site.nodes.count) for site in sites if site.nodes is not None]
    for instance_type, count in groups:
        # One more than the group has: a node is replaced by the new one first.
        quotas[_quota_of(instance_type)] += (count + 1) * vcpus_of(instance_type)
    return RegionNeeds(
        region,
        {quota: quotas[quota] for quota in Quota if quotas[quota]},
        tuple(site.zone for site in sites if site.profile is not ZoneProfile.REGION),
        tuple(model.model for model in plan.cloud.models),
    )


def _quota_of(instance_type: str) -> Quota:
    return Quota.GPU_VCPUS if instance_type.startswith("g") else Quota.STANDARD_VCPUS


def _context(given: Sequence[str], cdk: Path) -> dict[str, str]:
    """As the CDK's command line reads it: cdk.json first, then each -c."""
    context = dict(json.loads(cdk.read_text(encoding="utf-8")).get("context", {})) if cdk.exists() else {}
    for pair in given:
        key, _, value = pair.partition("=")
        context[key] = value
    return context


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stacks.needs", description=__doc__)
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE")
    context = _context(parser.parse_args(arguments).context, Path("cdk.json"))
    try:
        plan = choose_environment(context.get("env"), context.get("account"), context.get("image"))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(needs_of(plan).document()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
