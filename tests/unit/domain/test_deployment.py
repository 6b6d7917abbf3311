"""Names of stacks and outputs: those who deploy and those who look agree on them."""

from dataclasses import fields

import pytest

from edgemind.domain.deployment import (
    PLACES,
    Deployment,
    environment_stack,
    regional_stack,
    site_stack,
)
from edgemind.errors import PermanentError

OUTPUTS = {
    "staging-eu-central-1-data": {"SwarmTable": "table-1", "ModelBucket": "bucket-1", "Other": "x"},
    "staging-eu-central-1-cache": {"CacheEndpoint": "cache.internal:6379"},
    "staging-eu-central-1-agents": {"AgentMemory": "memory-1"},
    "staging-global-data": {"MirrorTable": "mirror-1", "JournalTable": "journal-1"},
}


def test_stack_names_carry_environment_region_and_part() -> None:
    assert regional_stack("staging", "eu-central-1", "network") == "staging-eu-central-1-network"
    assert environment_stack("staging", "governance") == "staging-governance"
    assert site_stack("staging", "berlin-1") == "staging-site-berlin-1"


def test_a_deployment_is_read_from_its_stacks_outputs() -> None:
    assert Deployment.read("staging", "eu-central-1", OUTPUTS) == Deployment(
        state_table="table-1",
        model_bucket="bucket-1",
        cache_endpoint="cache.internal:6379",
        mirror_table="mirror-1",
        journal_table="journal-1",
        agent_memory="memory-1",
    )


def test_every_field_has_a_place_of_its_own() -> None:
    assert set(PLACES) == {field.name for field in fields(Deployment)}
    assert len(set(PLACES.values())) == len(PLACES)


def test_all_that_is_missing_is_named_at_once() -> None:
    without = {**OUTPUTS, "staging-eu-central-1-data": {"SwarmTable": ""}}
    del without["staging-global-data"]

    with pytest.raises(PermanentError) as refused:
        Deployment.read("staging", "eu-central-1", without)

    assert str(refused.value) == (
        "environment staging lacks these stack outputs in eu-central-1: SwarmTable of stack staging-eu-central-1-data, "
        "ModelBucket of stack staging-eu-central-1-data, MirrorTable of stack staging-global-data, "
        "JournalTable of stack staging-global-data. Deploy it first: cdk deploy --all -c env=staging"
    )
