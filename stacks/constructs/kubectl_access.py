"""What the functions that apply charts and manifests may do, instead of the much that the CDK would let them."""

from aws_cdk import CfnCondition, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.plans import Environment

BOOTSTRAP_QUALIFIER = "hnb659fds"
"""The CDK's default: its asset bucket holds the chart."""
FRAMEWORK_MEMORY_MIB = 256


def kubectl_role(scope: Construct, name: str, plan: Environment, cluster_name: str) -> iam.IRole:
    """Only this cluster, and only what this account's deploys put into the asset bucket."""
    region = Stack.of(scope).region
    assets = f"arn:aws:s3:::cdk-{BOOTSTRAP_QUALIFIER}-assets-{plan.account}-{region}"
    role = iam.Role(
        scope,
        name,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description="Applies the chart and manifests to the cluster",
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaVPCAccessExecutionRole")
        ],
    )
    iam.ManagedPolicy(
        scope,
        f"{name}Policy",
        description="The cluster's address, and the chart",
        statements=[
            iam.PolicyStatement(
                sid="Cluster",
                actions=["eks:DescribeCluster"],
                resources=[f"arn:aws:eks:{region}:{plan.account}:cluster/{cluster_name}"],
            ),
            iam.PolicyStatement(sid="ListAssets", actions=["s3:ListBucket"], resources=[assets]),
            iam.PolicyStatement(sid="GetAssets", actions=["s3:GetObject"], resources=[f"{assets}/*"]),
        ],
        roles=[role],
    )
    # The provider would add the right to read every image of the account.
    return role.without_policy_updates()


def settle_functions(cluster: eks.Cluster) -> None:
    """Say what the provider's framework leaves to defaults, and drop a condition that nothing asks any more."""
    for construct in cluster.stack.node.find_all():
        if isinstance(construct, CfnCondition) and construct.node.id == "HasEcrPublic" and construct.node.scope:
            construct.node.scope.node.try_remove_child(construct.node.id)
        if isinstance(construct, lambda_.CfnFunction) and construct.memory_size is None:
            construct.memory_size = FRAMEWORK_MEMORY_MIB
