"""What a deployment on AWS is called: the names of its stacks and of their outputs, for who deploys and who looks.

The CDK app gives the stacks these names and outputs, and the core finds tables, bucket and cache by them: nobody copies
a name by hand. `docs/adr/0012-the-core-finds-aws-by-stack-outputs.md` has the reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from edgemind.errors import PermanentError

DATA = "data"
GLOBAL_DATA = "global-data"
CACHE = "cache"
COMPUTE = "compute"
AGENTS = "agents"

SWARM_TABLE = "SwarmTable"
MODEL_BUCKET = "ModelBucket"
MIRROR_TABLE = "MirrorTable"
JOURNAL_TABLE = "JournalTable"
CACHE_ENDPOINT = "CacheEndpoint"
CLUSTER_NAME = "ClusterName"
AGENT_MEMORY = "AgentMemory"

PARTITION_KEY = "pk"
SORT_KEY = "sk"
TTL_ATTRIBUTE = "ttl"
"""Every table's key and expiry attributes: strings, strings, and seconds since the epoch."""


def regional_stack(environment: str, region: str, part: str) -> str:
    """The name of a stack that each region of an environment has: `staging-eu-central-1-data`."""
    return f"{environment}-{region}-{part}"


def environment_stack(environment: str, part: str) -> str:
    """The name of a stack that an environment has once, in the account or its primary region: `staging-global-data`."""
    return f"{environment}-{part}"


def site_stack(environment: str, site: str) -> str:
    """The name of a MEC site's stack: `staging-site-berlin-1`."""
    return f"{environment}-site-{site}"


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where one fact about a deployment is to be read: an output of a stack. `regional` as the stack's name is."""

    part: str
    output: str
    regional: bool = True

    def stack(self, environment: str, region: str) -> str:
        if self.regional:
            return regional_stack(environment, region, self.part)
        return environment_stack(environment, self.part)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one region of an environment holds, as far as the core uses it.

    `state_table`, `mirror_table` and `journal_table` are DynamoDB table names (the latter two name global tables),
    `model_bucket` is an S3 bucket name, `cache_endpoint` is `host:port` of the region's Valkey, and `agent_memory` the
    id of an AgentCore memory.
    """

    state_table: str
    model_bucket: str
    cache_endpoint: str
    mirror_table: str
    journal_table: str
    agent_memory: str

    @classmethod
    def read(cls, environment: str, region: str, outputs: Mapping[str, Mapping[str, str]]) -> Self:
        """From the outputs of each stack by the stack's name; PermanentError names every one that is missing."""
        found = {
            name: outputs.get(place.stack(environment, region), {}).get(place.output, "")
            for name, place in PLACES.items()
        }
        missing = [
            f"{place.output} of stack {place.stack(environment, region)}"
            for name, place in PLACES.items()
            if not found[name]
        ]
        if missing:
            raise PermanentError(
                f"environment {environment} lacks these stack outputs in {region}: {', '.join(missing)}. "
                f"Deploy it first: cdk deploy --all -c env={environment}"
            )
        return cls(**found)


PLACES: Mapping[str, OutputPlace] = {
    "state_table": OutputPlace(DATA, SWARM_TABLE),
    "model_bucket": OutputPlace(DATA, MODEL_BUCKET),
    "cache_endpoint": OutputPlace(CACHE, CACHE_ENDPOINT),
    "mirror_table": OutputPlace(GLOBAL_DATA, MIRROR_TABLE, regional=False),
    "journal_table": OutputPlace(GLOBAL_DATA, JOURNAL_TABLE, regional=False),
    "agent_memory": OutputPlace(AGENTS, AGENT_MEMORY),
}
"""Where each field of `Deployment` is to be read."""
