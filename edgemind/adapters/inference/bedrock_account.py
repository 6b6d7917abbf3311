"""Who calls Bedrock and where: the endpoint of a region, and a signature on every request.

Only what has to agree with every other AWS program is botocore's: credentials, endpoints and signatures. Requests are
sent by the gateway's own client: a caller who hangs up ends the call at once, and a thread in boto3 cannot be ended.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session, get_session
from botocore.utils import get_token_from_environment

from edgemind.errors import ConfigurationError
from edgemind.ports.converse import CallFailed, CallFault

Result = TypeVar("Result")

SIGNING_NAME = "bedrock"
_NO_CREDENTIALS = (
    "no AWS credentials: give this process a role of its pod or host, AWS_PROFILE, AWS_ACCESS_KEY_ID with "
    "AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK"
)
_TROUBLE = (BotoCoreError, ClientError, OSError, RuntimeError, ValueError)
"""What the sources of credentials raise: the SDK, the service that hands roles out, programs and files."""


class BedrockAccount:
    """Blocks while it is made. Raises ConfigurationError without a region or with an impossible one."""

    def __init__(self, region: str | None, endpoint_url: str | None) -> None:
        self._session: Session = get_session()
        try:
            # Only asked where it would call: endpoints depend on the region's partition and on AWS's own settings.
            # Keys that are none: it must not look for credentials yet, which is another kind of trouble.
            client = self._session.create_client(
                "bedrock-runtime",
                region_name=region,
                endpoint_url=endpoint_url,
                aws_access_key_id="none",
                aws_secret_access_key="none",
            )
        except (BotoCoreError, ValueError) as exc:
            raise ConfigurationError(
                f"Bedrock cannot be called: {exc}; set bedrock.region, aws.region or AWS_DEFAULT_REGION"
            ) from exc
        self.region: str = client.meta.region_name
        self.origin: str = client.meta.endpoint_url.rstrip("/")
        client.close()

    async def head(self, model_id: str, operation: str, body: bytes) -> bytes:
        """The serialized head of `POST /model/{id}/{operation}`, signed. Raises CallFailed (DENIED)."""
        # ARNs hold slashes and colons; both are part of the one segment that the id is.
        url = f"{self.origin}/model/{quote(model_id, safe='')}/{operation}"
        headers = {"content-type": "application/json", "host": urlsplit(url).netloc}
        signed = await self._in_thread(partial(self._sign, url, headers, body))
        lines = [f"POST {urlsplit(url).path} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.items())]
        return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode("latin-1")

    async def available(self) -> None:
        """Raises CallFailed (DENIED) without credentials."""
        await self._in_thread(self._who)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        # Credentials that are about to expire are fetched anew, over HTTP or from a file: that may take seconds.
        try:
            return await asyncio.to_thread(work)
        except _TROUBLE as exc:
            # It names profiles and roles, and answers go to devices.
            detail = " ".join(str(exc).split())
            raise CallFailed(CallFault.DENIED, _NO_CREDENTIALS, detail=detail) from exc

    def _sign(self, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        who = self._who()
        if isinstance(who, str):
            return {**headers, "authorization": f"Bearer {who}"}
        request = AWSRequest("POST", url, dict(headers), body)
        SigV4Auth(who, SIGNING_NAME, self.region).add_auth(request)
        return dict(request.headers.items())

    def _who(self) -> "ReadOnlyCredentials | str":
        token: str | None = get_token_from_environment(SIGNING_NAME)
        if token:
            return token
        credentials = self._session.get_credentials()
        if credentials is None:
            raise CallFailed(CallFault.DENIED, _NO_CREDENTIALS)
        return credentials.get_frozen_credentials()
