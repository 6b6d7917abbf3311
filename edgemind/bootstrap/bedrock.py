"""How the Bedrock proxy, and the check of it, reach Amazon Bedrock."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.errors import ConfigurationError
from edgemind.settings import Settings
from edgemind.settings.bedrock import BedrockSettings

if TYPE_CHECKING:
    from edgemind.ports.converse import ConverseModels

CONNECT_S = 5.0
"""TLS to another region's endpoint takes several round trips."""
MARGIN_S = 1.0
"""The call's own limits come first, and say what they are; the client's stand behind them."""


@dataclass(frozen=True, slots=True)
class BedrockLink:
    """`where` and `region` are where calls go; `pools.run()` has to run in the loop that calls are made in."""

    settings: BedrockSettings
    models: "ConverseModels"
    pools: UpstreamPools
    region: str
    where: str


def open_bedrock(settings: Settings) -> BedrockLink:
    """Blocks a moment. Raises ConfigurationError without the group, botocore or a region."""
    # Imported here: gateways and controllers need none of it.
    from edgemind.adapters.aws_calls import require_boto3

    bedrock = settings.bedrock
    if bedrock is None:
        raise ConfigurationError("the configuration has no `bedrock:` group; docs/bedrock.md shows one")
    require_boto3("the Bedrock proxy")
    from edgemind.adapters.inference.bedrock import BedrockModels, CallLimits
    from edgemind.adapters.inference.bedrock_account import BedrockAccount

    account = BedrockAccount(bedrock.region or settings.aws.region, bedrock.endpoint_url)
    first_s, silence_s = bedrock.first_byte_timeout_s, bedrock.silence_timeout_s
    pools = UpstreamPools(
        ClientLimits(
            connect_s=CONNECT_S,
            first_byte_s=first_s + MARGIN_S,
            silence_s=silence_s + MARGIN_S,
            max_connections=sum(model.slots for model in bedrock.models),
        )
    )
    models = BedrockModels(account, pools, CallLimits(first_s, silence_s))
    return BedrockLink(bedrock, models, pools, account.region, account.origin)
