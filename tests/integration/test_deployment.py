"""What was deployed is found by the outputs of its stacks; what was not is told with what to do."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from edgemind import bootstrap
from edgemind.adapters.deployment.cloudformation import CloudFormationStacks, find_deployment
from edgemind.bootstrap.memories import open_agent_memory
from edgemind.domain.agent_memory import Memory, MemoryKind, Wanted
from edgemind.domain.deployment import PLACES, Deployment, OutputPlace
from edgemind.domain.keys import ApiKey
from edgemind.errors import EdgeMindError, PermanentError, StateCorrupt, StoreUnavailable, TemporaryError
from edgemind.settings import load_settings
from tests.support.engines.aws import LocalAws
from tests.support.memories import new_agentcore_memory
from tests.support.serving import free_port

pytestmark = pytest.mark.engine
VALUES = {
    "state_table": "swarm-1",
    "model_bucket": "models-1",
    "cache_endpoint": "cache.internal:6379",
    "mirror_table": "mirror-1",
    "journal_table": "journal-1",
    "agent_memory": "memory-1",
}


@pytest.fixture
def environment() -> str:
    """A name of its own: the engine is shared."""
    return f"test-{uuid4().hex[:8]}"


def deploy(aws: LocalAws, environment: str, **values: str) -> None:
    """Stacks that have these outputs, and a resource, which every stack must have."""
    stacks: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        place = PLACES[name]
        stacks.setdefault(place.stack(environment, aws.region), {})[place.output] = value
    for stack, outputs in stacks.items():
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        aws.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))


def test_everything_that_was_deployed_is_found(ministack: LocalAws, environment: str) -> None:
    deploy(ministack, environment, **VALUES)
    assert find_deployment(environment, ministack.region, endpoint_url=ministack.endpoint_url) == Deployment(**VALUES)


def test_all_outputs_that_are_missing_are_named(ministack: LocalAws, environment: str) -> None:
    deploy(ministack, environment, **{name: value for name, value in VALUES.items() if "bucket" not in name})
    with pytest.raises(PermanentError, match="lacks these stack outputs in eu-central-1: ModelBucket of stack"):
        find_deployment(environment, ministack.region, endpoint_url=ministack.endpoint_url)


def test_a_stack_that_is_not_there_says_what_to_do(ministack: LocalAws, environment: str) -> None:
    stacks = CloudFormationStacks(ministack.region, ministack.endpoint_url)
    with pytest.raises(PermanentError, match=rf"there is no stack {environment}-eu-central-1-data in .*cdk deploy"):
        stacks.find(PLACES["state_table"], environment)


def test_an_output_that_is_not_there_says_what_to_do(ministack: LocalAws, environment: str) -> None:
    deploy(ministack, environment, model_bucket="models-1")
    stacks = CloudFormationStacks(ministack.region, ministack.endpoint_url)
    with pytest.raises(PermanentError, match=rf"has no output SwarmTable.*cdk deploy --all -c env={environment}"):
        stacks.find(PLACES["state_table"], environment)


def test_nobody_who_answers_may_pass(aws_credentials: None) -> None:
    stacks = CloudFormationStacks("eu-central-1", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(TemporaryError, match=r"cannot read the outputs .*Could not connect.*Check the network"):
        stacks.find(OutputPlace("data", "SwarmTable"), "staging")


def test_no_credentials_say_how_to_give_them(
    ministack: LocalAws, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    stacks = CloudFormationStacks(ministack.region, ministack.endpoint_url)
    with pytest.raises(PermanentError, match=r"Unable to locate credentials.*AWS_PROFILE.*state\.table"):
        stacks.find(PLACES["state_table"], environment)


# What the configuration makes of it

YAML = """
version: 1
metro: test
state: {{store: dynamodb}}
aws: {{environment: {environment}, region: eu-central-1}}
auth: off
sites: [{{name: site-a, models: [{{name: m, base_url: "http://gpu1:8000/v1", slots: 1, service_ms: 10}}]}}]
"""


@pytest.fixture
def config(tmp_path: Path, environment: str, ministack: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack.endpoint_url)
    path = tmp_path / "edgemind.yaml"
    path.write_text(YAML.format(environment=environment))
    return path


def test_the_store_is_found_by_what_was_deployed(ministack: LocalAws, environment: str, config: Path) -> None:
    table = ministack.new_table()
    deploy(ministack, environment, state_table=table)
    key = ApiKey("00000001", "demo", "ab" * 32, created_ms=1)
    bootstrap.open_state_store(load_settings(config)).add_key(key, live_limit=2)

    by_name = {"EDGEMIND_STATE__TABLE": table, "EDGEMIND_STATE__ENDPOINT_URL": ministack.endpoint_url}
    assert bootstrap.open_state_store(load_settings(config, by_name)).list_keys() == [key]


def test_a_store_that_is_not_deployed_yet_is_a_store_in_trouble(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StateCorrupt, match="there is no stack"):
        bootstrap.open_state_store(load_settings(config)).list_keys()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StoreUnavailable, match="Could not connect"):
        bootstrap.open_state_store(load_settings(config)).list_keys()


def test_the_memory_of_agents_is_found_by_what_was_deployed(
    ministack: LocalAws, environment: str, config: Path
) -> None:
    memory_id = new_agentcore_memory(ministack)
    deploy(ministack, environment, agent_memory=memory_id)
    config.write_text(config.read_text() + "memory: {kind: agentcore}\n")
    told = Memory("m-1", MemoryKind.OUTCOME, 1_790_000_000_000, "site-a", "shift 40 % of llm to site-b")
    memory = open_agent_memory(load_settings(config), "site-a")
    memory.remember(told)
    assert memory.recall(Wanted()).memories == [told]
    assert memory_id in memory.kept


def test_a_memory_that_is_not_deployed_yet_is_told(config: Path) -> None:
    config.write_text(config.read_text() + "memory: {kind: agentcore}\n")
    with pytest.raises(EdgeMindError, match=r"there is no stack test-[0-9a-f]+-eu-central-1-agents"):
        open_agent_memory(load_settings(config), "site-a").recall(Wanted())
