"""What a preflight asks an AWS account. Every method only reads."""

from typing import Protocol

from edgemind.domain.deployment_needs import Quota, QuotaState, ZoneState


class CloudAccount(Protocol):
    """Raises TemporaryError if AWS cannot be reached or is busy, and PermanentError if it refuses to tell: no
    credentials, expired ones, or a permission that they lack (the message names it)."""

    def account(self) -> str:
        """The 12 digits of the account that the credentials belong to."""

    def bootstrap_version(self, region: str) -> int | None:
        """The version of the CDK's bootstrap stack there; None if there is none."""

    def quota(self, region: str, quota: Quota, environment: str) -> QuotaState:
        """A quota and what stands against it, without what belongs to the environment's own stacks."""

    def zone(self, region: str, zone: str) -> ZoneState | None:
        """A Local or Wavelength Zone; None if the region has none of that name."""

    def model_lacks(self, region: str, model: str) -> tuple[str, ...]:
        """What the account still lacks to call a Bedrock model; empty if it may."""
