"""Looks at everything an environment needs of its account, so that a deploy does not find out half-way."""

from collections.abc import Callable, Iterator
from functools import partial

from edgemind.domain.deployment_needs import (
    DeploymentNeeds,
    Finding,
    Quota,
    RegionNeeds,
    Verdict,
    judge_account,
    judge_bootstrap,
    judge_model,
    judge_quota,
    judge_zone,
)
from edgemind.errors import PermanentError
from edgemind.ports.cloud_account import CloudAccount


def check_deployment(needs: DeploymentNeeds, account: CloudAccount) -> tuple[Finding, ...]:
    """Every finding, the good ones too.

    Raises TemporaryError or PermanentError if the account cannot be asked at all. What it refuses to tell later is a
    finding of its own. In the wrong account nothing else is looked at: its quotas say nothing about the right one.
    """
    identity = judge_account(needs, account.account())
    if identity.verdict is not Verdict.OK:
        return (identity,)
    regions = [_RegionCheck(needs, region, account) for region in needs.regions]
    return (identity, *(finding for region in regions for finding in region.findings()))


class _RegionCheck:
    def __init__(self, needs: DeploymentNeeds, wanted: RegionNeeds, account: CloudAccount) -> None:
        self._needs = needs
        self._wanted = wanted
        self._region = wanted.region
        self._account = account

    def findings(self) -> Iterator[Finding]:
        yield self._look("bootstrap", self._bootstrap)
        for quota, count in self._wanted.quotas.items():
            if count:
                yield self._look(quota.value, partial(self._quota, quota, count))
        for zone in self._wanted.zones:
            yield self._look(f"zone {zone}", partial(self._zone, zone))
        for model in self._wanted.models:
            yield self._look(f"model {model}", partial(self._model, model))

    def _look(self, subject: str, look: Callable[[], Finding]) -> Finding:
        try:
            return look()
        except PermanentError as exc:
            mend = "use credentials that may ask, or look by hand"
            return Finding(self._region, subject, Verdict.UNKNOWN, str(exc), mend)

    def _bootstrap(self) -> Finding:
        return judge_bootstrap(self._needs, self._region, self._account.bootstrap_version(self._region))

    def _quota(self, quota: Quota, count: int) -> Finding:
        state = self._account.quota(self._region, quota, self._needs.environment)
        return judge_quota(self._region, quota, count, state)

    def _zone(self, zone: str) -> Finding:
        return judge_zone(self._region, zone, self._account.zone(self._region, zone))

    def _model(self, model: str) -> Finding:
        return judge_model(self._region, model, self._account.model_lacks(self._region, model))
