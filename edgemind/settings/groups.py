"""The groups of edgemind.yaml beside the sites: where state is kept, who may speak to the fleet, its tenants."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.fleet import Tenant
from edgemind.domain.site_tokens import SiteTokens
from edgemind.settings.fields import (
    BucketName,
    Environment,
    File,
    Folder,
    ModelGlob,
    Name,
    OriginUrl,
    Region,
    TableName,
    Zone,
)
from edgemind.settings.secret import Secret, SecretReference


class Group(BaseModel):
    """Frozen, and strict: a quoted number or an unknown key is an error, because it is nearly always a mistake."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Store(StrEnum):
    """Where registrations and keys live."""

    JSON = "json"
    MEMORY = "memory"
    DYNAMODB = "dynamodb"


class AuthMode(StrEnum):
    """Whether a request needs an API key."""

    KEYS = "keys"
    OFF = "off"


class StateSettings(Group):
    """What outlives a process: site registrations and API keys."""

    store: Store = Field(
        default=Store.JSON,
        description="json: files in `directory`. memory: lost at exit, one process. dynamodb: a table on AWS.",
    )
    directory: Folder = Field(
        default=Path(".edgemind/state"),
        validate_default=True,
        description="Folder of the json store; relative to the file's folder.",
    )
    table: TableName | None = Field(
        default=None,
        description="Table of the dynamodb store. Without it, the one that the stacks of `aws.environment` name.",
        examples=["staging-swarm"],
    )
    endpoint_url: OriginUrl | None = Field(
        default=None,
        description="Address of a DynamoDB that is not AWS's own, such as DynamoDB Local.",
        examples=["http://127.0.0.1:8000"],
    )


class ModelStoreKind(StrEnum):
    """Where the files of models are published."""

    DIRECTORY = "directory"
    S3 = "s3"


class ModelStoreSettings(Group):
    """Where `edgemind models publish` puts model files, for sites to fetch."""

    store: ModelStoreKind = Field(
        default=ModelStoreKind.DIRECTORY,
        description="directory: a folder, of one machine or a shared file system. s3: a bucket.",
    )
    directory: Folder = Field(
        default=Path(".edgemind/models"),
        validate_default=True,
        description="Folder of the directory store, which has to be there; relative to the file's folder.",
    )
    bucket: BucketName | None = Field(
        default=None,
        description="Bucket of the s3 store. Without it, the one that the stacks of `aws.environment` name.",
        examples=["our-models"],
    )
    endpoint_url: OriginUrl | None = Field(
        default=None,
        description="Address of an S3 that is not AWS's own, such as MinIO.",
        examples=["http://127.0.0.1:9000"],
    )


class AwsSettings(Group):
    """Which deployment on AWS this fleet belongs to. Credentials are found as every AWS program finds them."""

    environment: Environment | None = Field(
        default=None, description="Environment that was deployed: cdk deploy -c env=NAME.", examples=["staging"]
    )
    region: Region | None = Field(
        default=None,
        description="Its region here. Without it, AWS_DEFAULT_REGION or the profile's.",
        examples=["eu-central-1"],
    )


class RoleTokens(Group):
    """Bearer tokens of the fleet API, one a role; a role without a token cannot sign in."""

    viewer: SecretReference | None = Field(default=None, description="May read.")
    advisor: SecretReference | None = Field(default=None, description="May read, and propose changes of policy.")
    operator: SecretReference | None = Field(default=None, description="May read, drain sites and pin models.")
    admin: SecretReference | None = Field(default=None, description="May do everything, keys included.")

    def known(self) -> list[Secret]:
        """Those that there are."""
        return [token for token in (self.viewer, self.advisor, self.operator, self.admin) if token is not None]


class TlsSettings(Group):
    """TLS between the processes of the fleet. PEM files, from the folder of the yaml; `edgemind certs` makes them."""

    ca: File = Field(description="Certificates of the authorities to trust.", examples=["certs/ca.pem"])
    certificate: File = Field(
        description="The site's certificate; `{site}` is its name.", examples=["certs/{site}.pem"]
    )
    key: File = Field(description="Its private key, without a password; likewise.", examples=["certs/{site}.key"])

    def of(self, site: str) -> tuple[Path, Path, Path]:
        """Authorities, certificate and key of one site."""
        certificate, key = (Path(str(path).replace("{site}", site)) for path in (self.certificate, self.key))
        return self.ca, certificate, key


class AccessSettings(Group):
    """Who may speak to the fleet itself."""

    secret: SecretReference | None = Field(
        default=None, description="Token between sites; required once a site has a controller, or two have a gateway."
    )
    previous_secrets: tuple[SecretReference, ...] = Field(
        default=(),
        max_length=4,
        description="Accepted beside `secret`, never sent: the old one, or the next, while it is changed.",
        examples=["[file:fleet.secret.old]"],
    )
    tls: TlsSettings | None = Field(
        default=None, description="Certificates for `https://` addresses of controllers; absent: none."
    )
    tokens: RoleTokens = Field(default_factory=RoleTokens, description="Bearer tokens of the fleet API.")

    def site_tokens(self) -> SiteTokens:
        """ConfigurationError if they were not read."""
        current = self.secret.reveal() if self.secret else None
        return SiteTokens(current, tuple(secret.reveal() for secret in self.previous_secrets))

    @model_validator(mode="after")
    def _every_token_is_its_own(self) -> Self:
        """With one token for two roles, whoever may read could do everything."""
        owners: dict[str, str] = {}
        tokens = {f"tokens.{role}": getattr(self.tokens, role) for role in RoleTokens.model_fields}
        previous = {f"previous_secrets[{place}]": secret for place, secret in enumerate(self.previous_secrets)}
        for name, secret in {"secret": self.secret, **previous, **tokens}.items():
            if secret is None or not secret.known:
                continue
            owner = owners.setdefault(secret.reveal(), name)
            if owner != name:
                raise OutOfBounds(name, f"is the same as fleet.{owner}; make one of its own")
        return self


class TenantSettings(Group):
    """Who may ask for what, and how much of it."""

    name: Name = Field(description="Unique; API keys belong to it.", examples=["demo"])
    models: tuple[ModelGlob, ...] = Field(
        min_length=1, description="Models it may use; shell patterns.", examples=['["*"]']
    )
    residency: frozenset[Zone] = Field(default=frozenset(), description="Zones that may serve it; empty: any.")
    rate_per_s: float = Field(
        default=100.0,
        ge=0.001,
        le=1_000_000,
        description="Requests a second at one site, all workers together.",
        json_schema_extra={"unit": "requests/s"},
    )
    burst: float = Field(
        default=200.0,
        ge=1,
        le=10_000_000,
        description="Requests above the rate that may come at once.",
        json_schema_extra={"unit": "requests"},
    )

    def tenant(self) -> Tenant:
        return Tenant(self.name, self.models, self.residency, self.rate_per_s, self.burst)
