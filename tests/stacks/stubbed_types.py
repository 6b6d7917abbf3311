"""Resource types that ministack's CloudFormation does not know, with what the templates ask of each.

tests/stacks/test_deploy.py holds the list minimal: an entry that no template uses, an attribute that nobody asks for,
or a type that ministack has learned since, is a failure. So is a type that is missing here.
"""

from collections.abc import Mapping

from tests.support.engines.ministack import Stub

LIMIT = 25

STUBBED_TYPES: Mapping[str, Stub] = {
    "AWS::ApplicationSignals::ServiceLevelObjective": Stub("slo-"),
    "AWS::BedrockAgentCore::Memory": Stub("memory-", ("MemoryArn", "MemoryId")),
    "AWS::Budgets::Budget": Stub("budget-"),
    "AWS::CloudTrail::Trail": Stub("trail-"),
    "AWS::EC2::CarrierGateway": Stub("cagw-"),
    "AWS::EC2::FlowLog": Stub("fl-"),
    "AWS::EC2::NetworkAcl": Stub("acl-"),
    "AWS::EC2::NetworkAclEntry": Stub("acle-"),
    "AWS::EC2::SecurityGroupIngress": Stub("sgr-"),
    "AWS::EC2::SubnetNetworkAclAssociation": Stub("aclassoc-"),
    "AWS::EKS::AccessEntry": Stub("access-"),
    "AWS::EKS::Addon": Stub("addon-"),
    "AWS::EKS::FargateProfile": Stub("fargate-"),
    "AWS::EKS::PodIdentityAssociation": Stub("pia-"),
    "AWS::OpenSearchServerless::AccessPolicy": Stub("access-policy-"),
    "AWS::OpenSearchServerless::Collection": Stub("collection-", ("Arn", "DashboardEndpoint", "Id")),
    "AWS::OpenSearchServerless::LifecyclePolicy": Stub("lifecycle-policy-"),
    "AWS::OpenSearchServerless::SecurityPolicy": Stub("security-policy-"),
    "AWS::OpenSearchServerless::VpcEndpoint": Stub("door-", ("Id",)),
    "AWS::XRay::Group": Stub("traces-"),
    # ministack has alarms on one metric, and none on an expression.
    "AWS::CloudWatch::Alarm": Stub("alarm-", only_with="Metrics"),
    # Their providers are Lambda functions. kubectl and helm need a cluster, the others an SDK for Node.js.
    "Custom::AWSCDK-EKS-HelmChart": Stub("release-"),
    "Custom::AWSCDK-EKS-KubernetesResource": Stub("manifest-"),
    "Custom::S3AutoDeleteObjects": Stub("emptied-"),
    "Custom::VpcRestrictDefaultSG": Stub("restricted-"),
}
