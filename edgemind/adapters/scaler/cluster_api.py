"""Two calls of the Kubernetes API, as a pod makes them: by the service account that is mounted into it."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from edgemind.errors import ConfigurationError, PermanentError, TemporaryError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
API_SERVER = "https://kubernetes.default.svc"
"""What every cluster calls it, and its certificate names."""
TIMEOUT_S = 5.0
ANSWER_LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClusterAnswer:
    status: int
    document: Mapping[str, Any]


class ClusterApi:
    """`folder` holds token, ca.crt and namespace. Token and certificate are read for each call: both are rotated."""

    def __init__(self, url: str = API_SERVER, folder: Path = SERVICE_ACCOUNT) -> None:
        self._url = url
        self._folder = folder

    async def deployment(self, name: str) -> ClusterAnswer:
        return await asyncio.to_thread(self._call, "GET", name, None)

    async def patch_deployment(self, name: str, patch: Mapping[str, object]) -> ClusterAnswer:
        """A merge patch; with `metadata.resourceVersion` in it, only of the very object that was read (else 409)."""
        return await asyncio.to_thread(self._call, "PATCH", name, patch)

    def _call(self, method: str, name: str, patch: Mapping[str, object] | None) -> ClusterAnswer:
        """Raises TemporaryError if no answer comes, PermanentError if this is not the cluster of this pod."""
        namespace, token = self._mounted("namespace"), self._mounted("token")
        request = Request(
            f"{self._url}/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
            data=None if patch is None else json.dumps(patch).encode(),
            headers={
                "accept": "application/json",
                "authorization": f"Bearer {token}",
                "content-type": "application/merge-patch+json",
            },
            method=method,
        )
        try:
            with self._opener().open(request, timeout=TIMEOUT_S) as response:
                return _answer(response.status, response.read(ANSWER_LIMIT_BYTES))
        except HTTPError as exc:
            with exc:
                return _answer(exc.code, exc.read(ANSWER_LIMIT_BYTES))
        except URLError as exc:
            if isinstance(exc.reason, ssl.SSLCertVerificationError):
                raise PermanentError(f"{self._url} is not the API server of this cluster: {exc.reason}") from exc
            raise TemporaryError(f"the API server at {self._url} cannot be reached: {exc.reason}") from exc
        except (OSError, HTTPException) as exc:
            raise TemporaryError(f"the API server at {self._url} did not answer: {exc}") from exc

    def _opener(self) -> Any:
        handlers: list[Any] = [ProxyHandler({})]
        if self._url.startswith("https:"):
            try:
                handlers.append(HTTPSHandler(context=ssl.create_default_context(cafile=self._folder / "ca.crt")))
            except (OSError, ssl.SSLError) as exc:
                raise ConfigurationError(f"{self._folder / 'ca.crt'} cannot be used ({exc})") from exc
        return build_opener(*handlers)

    def _mounted(self, file: str) -> str:
        try:
            return (self._folder / file).read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise ConfigurationError(
                f"{self._folder / file} cannot be read ({exc.strerror}): the kubernetes scaler runs in a pod with its "
                "service account's token; with the chart, set controller.scaling.enabled"
            ) from exc


def _answer(status: int, body: bytes) -> ClusterAnswer:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return ClusterAnswer(status, document if isinstance(document, dict) else {"message": repr(body[:200])})
