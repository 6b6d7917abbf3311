"""Types of single fields: names, addresses and folders, each refused with words that say what to write instead."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, PlainValidator, StringConstraints, ValidationInfo, WithJsonSchema

from edgemind.settings.secret import SecretReader

KNOWN_VERSION = 1
MAX_URL_CHARS = 2048

NAME_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
ZONE_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
MODEL_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$"
MODEL_GLOB_PATTERN = r"^[A-Za-z0-9*?\[][A-Za-z0-9._:/@+*?!\[\]-]{0,199}$"
TABLE_PATTERN = r"^[A-Za-z0-9_.-]{3,255}$"
BUCKET_PATTERN = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
ENVIRONMENT_PATTERN = r"^[a-z][a-z0-9-]{0,30}$"
BEDROCK_MODEL_PATTERN = r"^[a-z0-9][A-Za-z0-9.:/_-]{0,2047}$"
MEMORY_ID_PATTERN = (
    r"^(arn:(aws|aws-cn|aws-us-gov):bedrock-agentcore:[a-z0-9-]+:[0-9]{12}:memory/)?"
    r"[a-zA-Z][a-zA-Z0-9_-]{0,99}-[a-zA-Z0-9]{10}$"
)
NAMESPACE_PATTERN = r"^[a-zA-Z0-9/][a-zA-Z0-9_/-]{0,1023}$"
REGION_PATTERN = r"^[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}$"
TOPIC_PATTERN = r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$"
PATTERN_WORDS = {
    NAME_PATTERN: "use lower-case letters, digits and '-', at most 63, such as site-a",
    ZONE_PATTERN: "use lower-case letters, digits, '-' and '_', at most 63, such as de",
    MODEL_PATTERN: "use letters, digits and . _ : / @ + -, at most 200, such as org/model-7b",
    MODEL_GLOB_PATTERN: 'use a model name or a pattern such as "*" or "llama-*"',
    BUCKET_PATTERN: "use 3 to 63 lower-case letters, digits, '.' and '-', such as our-models",
    TABLE_PATTERN: "use the table's name: 3 to 255 letters, digits and . _ -, such as staging-swarm",
    ENVIRONMENT_PATTERN: "use the name after -c env=: lower-case letters, digits and '-', at most 31, such as staging",
    BEDROCK_MODEL_PATTERN: "use an id of Bedrock such as amazon.nova-lite-v1:0, or the ARN of an inference profile",
    MEMORY_ID_PATTERN: "use the memory's id as AWS shows it, such as edgemind_staging-Ab3dEf7h1J",
    NAMESPACE_PATTERN: "use letters, digits and _ / -, such as /metro/berlin",
    TOPIC_PATTERN: "use a topic's whole name, such as arn:aws:sns:eu-central-1:123456789012:edgemind-staging-critical",
    REGION_PATTERN: "use an AWS region such as eu-central-1",
}
"""What to write instead, by the pattern that refused it."""

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_VISIBLE = re.compile(r"[\x21-\x7e]+")


def _split(url: str) -> SplitResult:
    """An absolute http(s) URL with a real host and port. The URL itself is not repeated: it may hold a password."""
    if len(url) > MAX_URL_CHARS or not _VISIBLE.fullmatch(url):
        raise ValueError("is not a URL; write plain ASCII without spaces, such as http://127.0.0.1:8401/v1")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has no valid host and port; a port is a number from 1 to 65535") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("is not an http address; start it with http:// or https://")
    if not host or not _is_host(host):
        raise ValueError("has no valid host; write http://HOST:PORT")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("has no valid port; a port is a number from 1 to 65535")
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password; remove it and put the token under key: env:NAME")
    if parts.query or parts.fragment:
        raise ValueError("holds a query or fragment; remove everything from '?' or '#' on")
    return parts


def _is_host(host: str) -> bool:
    if ":" not in host:
        return bool(_HOST_NAME.fullmatch(host))
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _server_url(url: str) -> str:
    _split(url)
    return url.rstrip("/")


def _origin_url(url: str) -> str:
    parts = _split(url)
    if parts.path.strip("/"):
        raise ValueError(f"holds the path {parts.path[:60]!r}; write only http://HOST:PORT")
    return url.rstrip("/")


def _known_version(version: int) -> int:
    if version > KNOWN_VERSION:
        raise ValueError(f"is {version}, newer than this edgemind reads ({KNOWN_VERSION}); upgrade edgemind")
    if version < KNOWN_VERSION:
        raise ValueError(f"is {version}, which never existed; write version: {KNOWN_VERSION}")
    return version


def _in_yaml_folder(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("is not a path; write the path as text")
    return (info.context.folder / value).absolute() if isinstance(info.context, SecretReader) else Path(value)


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Zone = Annotated[str, StringConstraints(pattern=ZONE_PATTERN)]
ModelName = Annotated[str, StringConstraints(pattern=MODEL_PATTERN)]
ModelGlob = Annotated[str, StringConstraints(pattern=MODEL_GLOB_PATTERN)]
ServerUrl = Annotated[str, AfterValidator(_server_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})]
OriginUrl = Annotated[
    str, AfterValidator(_origin_url), WithJsonSchema({"type": "string", "pattern": "^https?://[^/]+/?$"})
]
TableName = Annotated[str, StringConstraints(pattern=TABLE_PATTERN)]
BucketName = Annotated[str, StringConstraints(pattern=BUCKET_PATTERN)]
Environment = Annotated[str, StringConstraints(pattern=ENVIRONMENT_PATTERN)]
MemoryId = Annotated[str, StringConstraints(pattern=MEMORY_ID_PATTERN)]
Namespace = Annotated[str, StringConstraints(pattern=NAMESPACE_PATTERN)]
Region = Annotated[str, StringConstraints(pattern=REGION_PATTERN)]
TopicArn = Annotated[str, StringConstraints(pattern=TOPIC_PATTERN)]
Version = Annotated[int, AfterValidator(_known_version), WithJsonSchema({"type": "integer", "const": KNOWN_VERSION})]
File = Annotated[Path, PlainValidator(_in_yaml_folder), WithJsonSchema({"type": "string"})]
Folder = Annotated[Path, PlainValidator(_in_yaml_folder), WithJsonSchema({"type": "string"})]
