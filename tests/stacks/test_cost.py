"""The monthly costs in the docs are those of the templates, and within each environment's budget."""

from dataclasses import replace
from typing import Any

import pytest

from stacks.cost import BY_USE, FREE, RULES, load_prices, monthly
from stacks.cost_table import page_of, read_templates, table, with_table
from stacks.environments import ENVIRONMENTS, STAGING
from tests.stacks.conftest import Synthesized

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PRICES = load_prices()


def test_the_table_in_the_docs_is_fresh_and_within_the_budget(synthesized: Synthesized, tier: str) -> None:
    plan = ENVIRONMENTS[tier]
    lines = monthly(plan, read_templates(synthesized(tier).path), PRICES)
    page = page_of(tier).read_text(encoding="utf-8")

    assert page == with_table(page, table(plan, lines, PRICES)), (
        f"renew it: ./run cdk synth --quiet -c env={tier} && .venv/bin/python -m stacks.cost_table {tier} --write"
    )
    assert sum(line.usd for line in lines) <= plan.budget.monthly_usd


def test_every_type_is_priced_or_known_to_be_free_and_no_price_is_idle(synthesized: Synthesized) -> None:
    kinds, asked = set[str](), set[str]()

    class Watched(dict[str, Any]):
        """Prices that note which of them were looked at, by their path."""

        def __init__(self, values: dict[str, Any], path: str = "") -> None:
            super().__init__(values)
            self._path = path

        def __getitem__(self, name: str) -> Any:
            value = super().__getitem__(name)
            path = f"{self._path}/{name}"
            if isinstance(value, dict):
                return Watched(value, path)
            asked.add(path)
            return value

    for name, plan in ENVIRONMENTS.items():
        templates = read_templates(synthesized(name).path)
        monthly(plan, templates, Watched(dict(PRICES)))
        kinds |= {resource["Type"] for _, template in templates.values() for resource in template["Resources"].values()}
    assert kinds >= (RULES.keys() | FREE | BY_USE) - {"AWS::CDK::Metadata"}
    assert set(leaves(PRICES)) - asked == {"/as_of", "/source"}


def leaves(values: Any, path: str = "") -> list[str]:
    if not isinstance(values, dict):
        return [path]
    return [leaf for name, value in values.items() for leaf in leaves(value, f"{path}/{name}")]


def one(kind: str, **properties: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    return {"stack": ("eu-central-1", {"Resources": {"Thing": {"Type": kind, "Properties": properties}}})}


def test_a_type_without_a_price_is_refused() -> None:
    with pytest.raises(
        KeyError, match=r"AWS::RDS::DBCluster \(Thing of stack\) is neither priced nor known to be free"
    ):
        monthly(STAGING, one("AWS::RDS::DBCluster"), PRICES)


@pytest.mark.parametrize(
    ("kind", "properties", "usd"),
    [
        ("AWS::EKS::Cluster", {}, 73.0),
        ("AWS::KMS::Key", {}, 1.0),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}, 0.0),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}, 17.52),
        ("AWS::OpenSearchServerless::Collection", {"StandbyReplicas": "ENABLED"}, 423.4),
        ("AWS::OpenSearchServerless::VpcEndpoint", {"SubnetIds": ["a", "b"]}, 17.52),
        (
            "AWS::ElastiCache::ReplicationGroup",
            {"CacheNodeType": "cache.t4g.small", "NumNodeGroups": 2, "ReplicasPerNodeGroup": 1},
            84.096,
        ),
    ],
)
def test_what_a_resource_costs(kind: str, properties: dict[str, Any], usd: float) -> None:
    plan = replace(STAGING, regions=())
    assert sum(line.usd for line in monthly(plan, one(kind, **properties), PRICES)) == pytest.approx(usd)
