"""Where a demo keeps its state: files in its folder, or a table of its own at a DynamoDB of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgemind.errors import ConfigurationError

TABLE = "edgemind-demo"
REGION = "eu-central-1"
"""Of no meaning at a DynamoDB of one's own, but a client must say one."""
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")


@dataclass(frozen=True, slots=True)
class StatePlace:
    """`endpoint_url` None: files."""

    endpoint_url: str | None = None

    def group(self, folder: str) -> dict[str, object]:
        """`state` in edgemind.yaml."""
        if self.endpoint_url is None:
            return {"store": "json", "directory": folder}
        return {"store": "dynamodb", "directory": folder, "table": TABLE, "endpoint_url": self.endpoint_url}

    def aws(self) -> dict[str, object]:
        """`aws` in edgemind.yaml."""
        return {} if self.endpoint_url is None else {"aws": {"region": REGION}}


def state_place(store: str, endpoint_url: str | None, environ: Mapping[str, str]) -> StatePlace:
    """What the flags and the environment mean. Raises ConfigurationError."""
    if store == "json":
        if endpoint_url is not None:
            raise ConfigurationError("--endpoint-url is for --state-store dynamodb; files have no address")
        return StatePlace()
    found = endpoint_url or next((environ[name] for name in ENDPOINT_VARIABLES if environ.get(name)), None)
    if found is None:
        raise ConfigurationError(
            "--state-store dynamodb needs --endpoint-url (or AWS_ENDPOINT_URL_DYNAMODB), such as that of DynamoDB "
            "Local: a demo makes its table anew, and never does that on AWS"
        )
    return StatePlace(found)
