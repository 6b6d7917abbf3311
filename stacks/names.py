"""Names that one stack gives and another region, or a process, must know without asking. All follow from the plan."""

from edgemind.domain.kpi import Level
from stacks.plans import Environment

SITE_LABEL = "edgemind.io/site"
"""Of nodes and namespaces that belong to one site."""


def data_key_alias(plan: Environment) -> str:
    return f"alias/edgemind/{plan.name}/data"


def data_key_alias_arn(plan: Environment, region: str) -> str:
    return f"arn:aws:kms:{region}:{plan.account}:{data_key_alias(plan)}"


def log_bucket(plan: Environment, region: str) -> str:
    return f"edgemind-{plan.name}-logs-{plan.account}-{region}"


def model_bucket(plan: Environment, region: str) -> str:
    return f"edgemind-{plan.name}-models-{plan.account}-{region}"


def swarm_table(plan: Environment) -> str:
    return f"edgemind-{plan.name}-swarm"


def mirror_table(plan: Environment) -> str:
    return f"edgemind-{plan.name}-mirror"


def journal_table(plan: Environment) -> str:
    return f"edgemind-{plan.name}-journal"


def cluster(plan: Environment, region: str) -> str:
    return f"edgemind-{plan.name}-{region}"


def site_namespace(site: str) -> str:
    """Each site has a namespace of its own: its service accounts and default-deny policies are then its own too."""
    return f"edgemind-{site}"


def memory(plan: Environment) -> str:
    """AgentCore takes no '-' in it."""
    return f"edgemind_{plan.name}".replace("-", "_")


def cache(plan: Environment) -> str:
    return f"edgemind-{plan.name}"


def cache_user(plan: Environment, role: str) -> str:
    return f"edgemind-{plan.name}-{role}"


def fleet_secret(plan: Environment, name: str) -> str:
    """Of the site-to-site secret or of a role's token, the same in each region."""
    return f"edgemind/{plan.name}/fleet/{name}"


def metrics_log_group(plan: Environment) -> str:
    """Where controllers write what CloudWatch makes metrics of, the same in each region."""
    return f"/edgemind/{plan.name}/metrics"


def metrics_log_group_arn(plan: Environment, region: str) -> str:
    return f"arn:aws:logs:{region}:{plan.account}:log-group:{metrics_log_group(plan)}"


def pod_log_group(plan: Environment, region: str, kind: str) -> str:
    """Where EKS's own collector of logs writes, whatever we would call it."""
    return f"/aws/containerinsights/{cluster(plan, region)}/{kind}"


def log_search(plan: Environment) -> str:
    """Of the OpenSearch collection, its policies and its door into the network."""
    return f"edgemind-{plan.name}"


def alert_topic(plan: Environment, level: Level) -> str:
    return f"edgemind-{plan.name}-{level.value}"


def alarm(plan: Environment, region: str, name: str, level: Level) -> str:
    return f"edgemind-{plan.name}-{region}-{name.replace('_', '-')}-{level.value}"


def alert_key_alias(plan: Environment) -> str:
    return f"alias/edgemind/{plan.name}/alerts"
