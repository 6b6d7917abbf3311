"""EKS's collector of logs on every node: an add-on with Fluent Bit in it, and the role that its pods take."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.pod_roles import pods_of

ADDON = "amazon-cloudwatch-observability"
SERVICE_ACCOUNT = "cloudwatch-agent"
"""The add-on's; its Fluent Bit runs with it, too."""
LOGS_ONLY: Mapping[str, object] = {
    # Metrics come from the controllers, and nothing may change our pods to instrument them.
    "containerInsights": {"enabled": False},
    "applicationSignals": {"enabled": False},
}
WRITE_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
"""The groups are there before; the collector asks for them all the same."""

TO_OPENSEARCH = """\
[OUTPUT]
  Name                      opensearch
  Match                     application.*
  Host                      {host}
  Port                      443
  tls                       On
  AWS_Auth                  On
  AWS_Region                {region}
  AWS_Service_Name          aoss
  Logstash_Format           On
  Logstash_Prefix           pods
  Suppress_Type_Name        On
  Replace_Dots              On
  Compress                  gzip
  Retry_Limit               10
  storage.total_limit_size  512M
"""
"""An index a day. While OpenSearch is away 512 MB wait on each node, and CloudWatch gets every line all the same."""


class LogCollector(Construct):
    """`groups` are the ARNs of the log groups that `role` may write to."""

    def __init__(self, scope: Construct, name: str, account: str, cluster_arn: str, groups: Sequence[str]) -> None:
        super().__init__(scope, name)
        self.role = iam.Role(
            self, "Role", assumed_by=pods_of(account, cluster_arn), description="EdgeMind: collects the logs of pods"
        )
        resources = [arn for group in groups for arn in (group, f"{group}:log-stream:*")]
        iam.ManagedPolicy(
            self,
            "Policy",
            description="Logs of pods go to their log groups",
            statements=[iam.PolicyStatement(actions=list(WRITE_LOGS), resources=resources)],
            roles=[self.role],
        )

    def run_on(self, cluster_name: str, opensearch: str | None) -> None:
        """Install it. `opensearch`: the host that gets the logs of pods, beside CloudWatch."""
        stack = Stack.of(self)
        values = dict(LOGS_ONLY)
        if opensearch is not None:
            output = TO_OPENSEARCH.format(host=opensearch, region=stack.region)
            # One file more, beside those that the add-on has anyway.
            values["containerLogs"] = {"fluentBit": {"config": {"extraFiles": {"opensearch.conf": output}}}}
        eks.CfnAddon(
            self,
            "Addon",
            addon_name=ADDON,
            cluster_name=cluster_name,
            configuration_values=stack.to_json_string(values),
            pod_identity_associations=[
                eks.CfnAddon.PodIdentityAssociationProperty(
                    service_account=SERVICE_ACCOUNT, role_arn=self.role.role_arn
                )
            ],
            preserve_on_delete=False,
        )
