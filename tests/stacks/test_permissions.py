"""Who may do what on AWS: nobody everything, and each component of a site exactly what its code asks for."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from stacks.constructs.pod_roles import COMPONENTS
from stacks.environments import ENVIRONMENTS
from tests.stacks.conftest import Synthesized
from tests.support.assemblies import Assembly
from tests.support.aws_actions import Adapter, methods_used, port_methods, services_used

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# What runs with each component's role: its own process, and the commands that are started in its pod.
RUNS: Mapping[str, tuple[str, ...]] = {
    "gateway": ("edgemind.entrypoints.gateway",),
    "controller": (
        "edgemind.entrypoints.controller",
        "edgemind.entrypoints.keys_commands",
        "edgemind.entrypoints.swarm_commands",
    ),
    "model-server": ("edgemind.entrypoints.model_server",),
    "bedrock-proxy": ("edgemind.entrypoints.bedrock_proxy",),
}
_STATE = "edgemind.adapters.state_store"
STATE_STORE = Adapter("dynamodb", (f"{_STATE}.dynamodb", f"{_STATE}.dynamodb_table", f"{_STATE}.dynamodb_items"))
MODEL_STORE = Adapter("s3", ("edgemind.adapters.model_store",))
FETCHES: Mapping[str, set[str]] = {"model-server": {"fetch"}}
"""Methods of the model store, where one command of many is started: `edgemind models fetch` fills a model cache."""
SWARM_STORE = Adapter("dynamodb", ("edgemind.adapters.swarm_store",))
"""Only who opens it is asked for its methods: others have methods of such names, too."""
ADVICE_STORE = Adapter("dynamodb", ("edgemind.adapters.advice_store", f"{_STATE}.dynamodb_table"))
METRICS = Adapter("logs", ("edgemind.adapters.telemetry.cloudwatch_emf",))
ALERTS = Adapter("sns", ("edgemind.adapters.alert_sink",))
"""For who tells alerts at all: `operations.topics` names where."""
SCRATCH = Adapter("dynamodb", ("edgemind.adapters.deployment.scratch_table",))
"""A demo's, which nobody runs on AWS."""
DEPLOYMENT = Adapter("cloudformation", ("edgemind.adapters.deployment.cloudformation",))
MEMORY = Adapter("bedrock-agentcore", ("edgemind.adapters.agent_memory",))
BEDROCK = Adapter("bedrock-runtime", ("edgemind.adapters.inference.bedrock",))
"""`open_bedrock` is how it is had; its requests are paths, not methods of a client."""
ACCOUNT = tuple(
    Adapter(service, ("edgemind.adapters.cloud_account",))
    for service in ("bedrock", "cloudwatch", "ec2", "service-quotas", "ssm", "sts")
)

ADAPTERS = (
    STATE_STORE,
    MODEL_STORE,
    SWARM_STORE,
    ADVICE_STORE,
    MEMORY,
    METRICS,
    BEDROCK,
    ALERTS,
    SCRATCH,
    DEPLOYMENT,
    *ACCOUNT,
)

# What AWS's own services ask with the role of a pod; no line of our code names it.
IMPLIED: Mapping[str, Mapping[str, str]] = {
    "gateway": {
        "kms:Decrypt": "DynamoDB and Secrets Manager decrypt with the reader's rights",
        "kms:DescribeKey": "DynamoDB looks at a table's key with the reader's rights",
        "secretsmanager:DescribeSecret": "the secrets provider mounts the fleet's secrets for the pod",
        "secretsmanager:GetSecretValue": "the secrets provider mounts the fleet's secrets for the pod",
    },
    "controller": {
        "kms:Decrypt": "DynamoDB and Secrets Manager decrypt with the reader's rights",
        "kms:DescribeKey": "DynamoDB looks at a table's key with the reader's rights",
        "kms:Encrypt": "DynamoDB encrypts with the writer's rights",
        "kms:GenerateDataKey": "DynamoDB encrypts with the writer's rights",
        "kms:ReEncryptFrom": "DynamoDB encrypts with the writer's rights",
        "kms:ReEncryptTo": "DynamoDB encrypts with the writer's rights",
        "secretsmanager:DescribeSecret": "the secrets provider mounts the fleet's secrets for the pod",
        "secretsmanager:GetSecretValue": "the secrets provider mounts the fleet's secrets for the pod",
    },
    "bedrock-proxy": {
        "kms:Decrypt": "Secrets Manager decrypts with the reader's rights",
        "kms:DescribeKey": "Secrets Manager looks at the key with the reader's rights",
        "secretsmanager:DescribeSecret": "the secrets provider mounts the proxy's key for the pod",
        "secretsmanager:GetSecretValue": "the secrets provider mounts the proxy's key for the pod",
    },
    "model-server": {
        "kms:Decrypt": "S3 decrypts with the reader's rights",
        "kms:DescribeKey": "S3 looks at a bucket's key with the reader's rights",
        "s3:ListBucket": "without it S3 calls an object that is absent forbidden",
    },
}


def asked_by(component: str) -> set[str]:
    """What the code that runs with a component's role asks of AWS."""
    state = methods_used(RUNS[component], port_methods("edgemind.ports.state_store", "StateStore"))
    actions = STATE_STORE.actions(state) | MODEL_STORE.actions(FETCHES.get(component, set()))
    if methods_used(RUNS[component], {"open_swarm_store"}):
        rounds = methods_used(RUNS[component], port_methods("edgemind.ports.swarm_store", "SwarmStore"))
        actions |= SWARM_STORE.actions(rounds)
    if methods_used(RUNS[component], {"open_advice_store"}):
        advice = methods_used(RUNS[component], port_methods("edgemind.ports.advice_store", "AdviceStore"))
        actions |= ADVICE_STORE.actions(advice)
    if methods_used(RUNS[component], {"open_agent_memory"}):
        actions |= MEMORY.actions(
            methods_used(RUNS[component], port_methods("edgemind.ports.agent_memory", "AgentMemory"))
        )
    if methods_used(RUNS[component], {"open_metric_sink"}):
        actions |= METRICS.all_actions()
    if methods_used(RUNS[component], {"telling"}):
        actions |= ALERTS.all_actions()
    # Table and bucket are found before they are first used.
    actions |= DEPLOYMENT.all_actions() if actions else set()
    return actions | (BEDROCK.all_actions() if methods_used(RUNS[component], {"converse"}) else set())


def granted_to(assembly: Assembly, component: str) -> Iterator[set[str]]:
    """What the managed policy of a component's role allows, in each region."""
    description = f"What the {component} asks of AWS"
    for _, _, policy in assembly.resources("AWS::IAM::ManagedPolicy"):
        if policy["Properties"].get("Description") == description:
            statements = policy["Properties"]["PolicyDocument"]["Statement"]
            assert all(statement["Effect"] == "Allow" for statement in statements)
            yield {action for statement in statements for action in _listed(statement["Action"])}


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_may_do_what_its_code_does_and_nothing_else(
    component: str, synthesized: Synthesized, tier: str
) -> None:
    grants = list(granted_to(synthesized(tier), component))
    assert len(grants) == len(ENVIRONMENTS[tier].regions)
    for granted in grants:
        wanted = asked_by(component)
        assert wanted - granted == set(), "the code asks for what its role may not do"
        assert granted - wanted - IMPLIED[component].keys() == set(), "the role may do what no code asks for"
        assert IMPLIED[component].keys() - granted == set(), "take out what is not granted any more"
        assert IMPLIED[component].keys() & wanted == set(), "the code asks for it by itself: take it out"


def test_every_call_of_aws_is_derived_from() -> None:
    """A new adapter, or a new service in one, has to be given to a component here."""
    covered = {
        module: {adapter.service for adapter in ADAPTERS if _holds(adapter, module)}
        for module in services_used("edgemind")
    }
    assert {module: names - covered[module] for module, names in services_used("edgemind").items()} == {
        module: set() for module in covered
    }


def _holds(adapter: Adapter, module: str) -> bool:
    return any(f"{module}.".startswith(f"{part}.") for part in adapter.modules)


def test_the_preflight_only_reads() -> None:
    actions = {action for adapter in ACCOUNT for action in adapter.all_actions()}
    assert len(actions) == 10
    assert all(action.partition(":")[2].startswith(("Get", "Describe")) for action in actions)


def test_the_derivation_sees_what_it_should() -> None:
    """A derivation that found nothing would agree with everything."""
    assert STATE_STORE.actions({"list_keys"}) == {"dynamodb:Query"}
    assert "dynamodb:PutItem" in STATE_STORE.actions({"put_registration"})
    assert MODEL_STORE.actions({"publish"}) > {"s3:GetObject", "s3:PutObject"}
    assert MODEL_STORE.actions({"list_models"}) == {"s3:GetObject", "s3:ListBucket"}
    assert SWARM_STORE.actions({"open_round", "read_ballots"}) >= {"dynamodb:Query", "dynamodb:UpdateItem"}
    assert asked_by("bedrock-proxy") == {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}
    assert asked_by("gateway") == {"cloudformation:DescribeStacks", "dynamodb:GetItem", "dynamodb:Query"}


def test_nobody_may_do_everything_or_anything_to_everything(synthesized: Synthesized, tier: str) -> None:
    wide = [
        f"{stack} {logical_id}: {statement}"
        for stack, logical_id, statement in identity_statements(synthesized(tier))
        if statement["Effect"] == "Allow" and ({"*"} & set(_listed(statement.get("Resource"))) or _wide(statement))
    ]
    assert wide == []


def _wide(statement: Mapping[str, Any]) -> bool:
    return "NotAction" in statement or any("*" in action for action in _listed(statement["Action"]))


def identity_statements(assembly: Assembly) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every statement of a policy that a role has."""
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for stack, logical_id, policy in assembly.resources(kind):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield stack, logical_id, statement
    for stack, logical_id, role in assembly.resources("AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield stack, logical_id, statement


def _listed(value: Any) -> Iterable[Any]:
    """One or many, as policies have it; what is only known at the deploy is not a star."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
