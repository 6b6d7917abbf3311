"""One site on the cluster: its namespace, the secrets it may read, and its release of the chart."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from aws_cdk import Duration
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks import names
from stacks.plans import Environment, SitePlan
from stacks.site_values import ENVIRONMENT_LABEL, PROXY_SECRET_CLASS, RELEASE, SECRET_CLASS

SECRET_FILES = {
    "secret": "fleet-secret",
    "viewer": "viewer-token",
    "operator": "operator-token",
    "admin": "admin-token",
    "bedrock": "bedrock-key",
}
"""The file that the chart reads for each of the fleet's secrets."""


class SiteRelease(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        plan: Environment,
        site: SitePlan,
        cluster: eks.ICluster,
        chart: s3_assets.Asset,
        values: Mapping[str, Any],
    ) -> None:
        super().__init__(scope, name)
        namespace = names.site_namespace(site.name)
        place = eks.KubernetesManifest(
            self, "Namespace", cluster=cluster, manifest=[_namespace(plan, site, namespace)], prune=False
        )
        secrets = eks.KubernetesManifest(
            self,
            "Secrets",
            cluster=cluster,
            manifest=[
                _secret_class(plan, site, SECRET_CLASS, tuple(SECRET_FILES)),
                # The proxy may read its own key alone, and a class is mounted whole.
                _secret_class(plan, site, PROXY_SECRET_CLASS, ("bedrock",)),
            ],
            prune=False,
        )
        secrets.node.add_dependency(place)
        release = eks.HelmChart(
            self,
            "Release",
            cluster=cluster,
            chart_asset=chart,
            release=RELEASE,
            namespace=namespace,
            create_namespace=False,
            values=values,
            # Failed pods fail the deploy, and what ran before goes on.
            wait=True,
            atomic=True,
            timeout=Duration.minutes(14),
        )
        release.node.add_dependency(secrets)


def _namespace(plan: Environment, site: SitePlan, namespace: str) -> dict[str, Any]:
    labels = {
        ENVIRONMENT_LABEL: plan.name,
        names.SITE_LABEL: site.name,
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}


def _secret_class(plan: Environment, site: SitePlan, name: str, secrets: Sequence[str]) -> dict[str, Any]:
    """Which secrets the pods mount as files; a pod's own role is asked whether it may."""
    objects = [
        {
            "objectName": names.fleet_secret(plan, secret),
            "objectType": "secretsmanager",
            "objectAlias": SECRET_FILES[secret],
        }
        for secret in secrets
    ]
    parameters = {"region": site.region, "usePodIdentity": "true", "objects": yaml.safe_dump(objects, sort_keys=False)}
    return {
        "apiVersion": "secrets-store.csi.x-k8s.io/v1",
        "kind": "SecretProviderClass",
        "metadata": {"name": name, "namespace": names.site_namespace(site.name)},
        "spec": {"provider": "aws", "parameters": parameters},
    }
