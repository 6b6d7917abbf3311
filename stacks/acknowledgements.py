"""Findings of the rule packs that we live with: where, which, and why. Everything else stops the synthesis."""

import re
from dataclasses import dataclass

NIST, HIPAA, PCI, SOLUTIONS = "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321", "AwsSolutions"
AWS_POLICY = f"{SOLUTIONS}-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy"
RESOURCE = f"{SOLUTIONS}-IAM5[Resource::"
ANNOTATION = "Annotation::"
REGION = "[a-z]+-[a-z]+-[0-9]"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`rules` are the ids of one control, as the packs call it. `{env}`, `{account}`, `{region}` and `{standby}` stand
    for those of the stack.

    `where` is a pattern for the path of a construct after the environment, such as `eu-central-1-network/Network/Acl`.
    It must match whole, and what is below the construct is covered too.
    """

    where: str
    rules: tuple[str, ...]
    reason: str

    def covers(self, environment: str, path: str) -> bool:
        own = path.removeprefix(f"{environment}-")
        return own != path and re.fullmatch(self.where, own) is not None


def _packs(control: str, *packs: str) -> tuple[str, ...]:
    return tuple(f"{pack}-{control}" for pack in packs)


def _aws_policies(*names: str) -> tuple[str, ...]:
    return tuple(f"{AWS_POLICY}/{name}]" for name in names)


KUBECTL = f"{REGION}-compute/Kubernetes/Cluster/KubectlProvider"

ACKNOWLEDGEMENTS = (
    # --- storage
    Acknowledgement(
        f"{REGION}-security/LogBucket",
        (f"{SOLUTIONS}-S1", *_packs("S3BucketLoggingEnabled", NIST, HIPAA, PCI)),
        "This is the bucket that access logs are delivered to: a log of its own deliveries would grow for ever.",
    ),
    Acknowledgement(
        f"{REGION}-security/LogBucket",
        _packs("S3DefaultEncryptionKMS", NIST, HIPAA, PCI),
        "S3 delivers access logs only to buckets with SSE-S3. They name objects and callers, and hold no data.",
    ),
    Acknowledgement(
        f"{REGION}-security/LogBucket|governance/AuditBucket",
        _packs("S3BucketReplicationEnabled", NIST, HIPAA, PCI),
        "Logs are versioned, only administrators can delete them, and CloudTrail keeps 90 days of events itself. A "
        "copy in a second region would double the cost and is needed for no recovery.",
    ),
    Acknowledgement(
        f"{REGION}-data/Models/Bucket",
        _packs("S3BucketReplicationEnabled", NIST, HIPAA, PCI),
        "Only the primary's models are copied, to the standby: staging has one region, and the standby's bucket is the "
        "copy. Every model can be published again from where it was trained.",
    ),
    # --- secrets and cache
    Acknowledgement(
        f"{REGION}-security/Fleet(Secret|Viewer|Operator|Admin|Bedrock)",
        (f"{SOLUTIONS}-SMG4", *_packs("SecretsManagerRotationEnabled", NIST, HIPAA)),
        "Both ends of a connection hold the same token, so a rotation is a rollout that an operator starts; the files "
        "are read again without a restart. A timer would cut sites off from each other in between.",
    ),
    Acknowledgement(
        f"{REGION}-cache/Valkey/Group",
        (f"{SOLUTIONS}-AEC6",),
        "Users log in with IAM, each with an access string of its own, and the default user is off. AUTH is one shared "
        "password, and ElastiCache does not take it together with user groups.",
    ),
    # --- network
    Acknowledgement(
        f"{REGION}-network/Network/Acl",
        (f"{SOLUTIONS}-VPC3",),
        "Four coarse rules behind the security groups: inside everything, outside only HTTPS and its answers. They "
        "hold even if somebody opens a security group by mistake.",
    ),
    Acknowledgement(
        "site-[a-z0-9-]+/Nodes/Group",
        (f"{SOLUTIONS}-AS3",),
        "The number of nodes of an edge site is fixed: its group only replaces a dead one, as CloudTrail shows.",
    ),
    # --- roles: policies that AWS maintains
    Acknowledgement(
        f"{REGION}-compute/(EdgeNodeRole|Nodes/Role)",
        _aws_policies("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"),
        "What a node calls changes with the versions of Kubernetes and its network plug-in; EKS documents these "
        "policies as the least. Pods cannot use them: they do not reach the metadata service and have their own roles.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Kubernetes/Cluster/Role",
        _aws_policies(
            "AmazonEKSClusterPolicy",
            "AmazonEKSComputePolicy",
            "AmazonEKSBlockStoragePolicy",
            "AmazonEKSLoadBalancingPolicy",
            "AmazonEKSNetworkingPolicy",
        ),
        "The control plane is run by AWS, which requires these policies for it, the last four for automatic scaling.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Kubernetes/AutoNodeRole",
        _aws_policies("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly"),
        "AWS starts and patches these nodes and documents the two policies as all they need.",
    ),
    Acknowledgement(
        f"{REGION}-compute/FargateRole",
        _aws_policies("AmazonEKSFargatePodExecutionRolePolicy"),
        "Fargate's own agent pulls images with it; it holds three actions, and EKS requires it.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Kubernetes/KubectlRole|{KUBECTL}/Provider/framework-onEvent/ServiceRole",
        _aws_policies("service-role/AWSLambdaBasicExecutionRole", "service-role/AWSLambdaVPCAccessExecutionRole"),
        "Functions in a VPC need network interfaces, which cannot be named before they are there; AWS maintains the "
        "list of calls. The policies hold that and writing to the function's log.",
    ),
    # --- roles: what cannot be named in full
    Acknowledgement(
        f"{REGION}-compute/Kubernetes/KubectlRolePolicy",
        (f"{RESOURCE}arn:aws:s3:::cdk-hnb659fds-assets-{{account}}-{{region}}/*]",),
        "The chart's key in the CDK's asset bucket is a hash of its content, so that an upgrade must read another key.",
    ),
    Acknowledgement(
        f"{KUBECTL}/Provider/framework-onEvent/ServiceRole/DefaultPolicy",
        (f"{RESOURCE}<KubernetesClusterKubectlProviderHandlerF916491E.Arn>:*]",),
        "The CDK's provider framework may invoke any version of the one function that it is there for.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Pods/(Gateway|Controller|ModelServer)Policy",
        (f"{RESOURCE}arn:aws:cloudformation:{{region}}:{{account}}:stack/{{env}}-{{region}}-data/*]",),
        "The ARN of a stack ends in an id that CloudFormation draws; the name before it is fixed. It only reads.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Pods/ControllerPolicy",
        (f"{RESOURCE}arn:aws:cloudformation:{{region}}:{{account}}:stack/{{env}}-{{region}}-agents/*]",),
        "As above: the memory of agents is found by the outputs of this stack. It only reads.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Pods/ControllerPolicy",
        (f"{RESOURCE}arn:aws:kms:{{region}}:{{account}}:key/*]",),
        "The key of the alert topics belongs to a stack that comes later. It is bound by a condition on its alias, and "
        "is used by way of SNS only.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Pods/ModelServerPolicy",
        (f"{RESOURCE}arn:aws:s3:::edgemind-{{env}}-models-{{account}}-{{region}}/models/*]",),
        "Which models a site loads is decided while it runs; all of them lie under this prefix, and are only read.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Pods/ControllerPolicy",
        (f"{RESOURCE}arn:aws:logs:{{region}}:{{account}}:log-group:/edgemind/{{env}}/metrics:log-stream:*]",),
        "Each controller writes to a stream of its own, which it makes when it starts; the log group is fixed.",
    ),
    Acknowledgement(
        f"{REGION}-logs/Collector/Policy",
        tuple(
            f"{RESOURCE}arn:aws:logs:{{region}}:{{account}}:log-group:/aws/containerinsights/edgemind-{{env}}-{{region}}/"
            f"{kind}:log-stream:*]"
            for kind in ("application", "dataplane", "host")
        ),
        "The collector makes a stream for each container, which nobody knows before; the log groups are fixed.",
    ),
    Acknowledgement(
        f"{REGION}-data/Models/ReplicationPolicy",
        (
            f"{RESOURCE}arn:aws:s3:::edgemind-{{env}}-models-{{account}}-{{region}}/*]",
            f"{RESOURCE}arn:aws:s3:::edgemind-{{env}}-models-{{account}}-{{standby}}/*]",
            f"{RESOURCE}arn:aws:kms:{{standby}}:{{account}}:key/*]",
        ),
        "S3 copies every object of one bucket to another. The key in the other region is bound by a condition on its "
        "alias: its id is not known here.",
    ),
    Acknowledgement(
        f"governance/Trail/LogsRole/DefaultPolicy|{KUBECTL}/Provider/framework-onEvent/ServiceRole/DefaultPolicy",
        _packs("IAMNoInlinePolicy", NIST, HIPAA, PCI),
        "The CDK makes these two roles and takes no policy of ours for them. Each belongs to one service or function "
        "and is shared by nobody, which is what the control is about.",
    ),
    Acknowledgement(
        f"{REGION}-observability/Alerts/(Critical|Warning)/.+",
        ("Serverless-SNSRedrivePolicy",),
        "E-mail to people: SNS tries again for hours, the alarm itself stays on in CloudWatch and on the dashboards, "
        "and a queue of undelivered mail is one more thing that nobody looks at.",
    ),
    # --- warnings of the CDK itself
    Acknowledgement(
        f"{REGION}-data/Models/Bucket|governance/AuditBucket",
        (f"{ANNOTATION}@aws-cdk/aws-s3:accessLogsPolicyNotAdded",),
        "The log bucket stands in the security stack, whose policy for it admits every bucket of this account.",
    ),
    Acknowledgement(
        f"{REGION}-compute/Kubernetes/Cluster",
        (f"{ANNOTATION}@aws-cdk/aws-eks:isolatedSubnetsForKubectlPrivateSubnets",),
        "The network has endpoints for each service that the warning names, and for Lambda, which the provider calls.",
    ),
    # --- the functions that apply charts: the CDK's code, called by CloudFormation alone
    Acknowledgement(
        KUBECTL,
        _packs("LambdaConcurrency", NIST, HIPAA),
        "Called during a deploy only, a few times at once. Reserved concurrency would be taken from the account's for "
        "good, and a new account has no more than ten.",
    ),
    Acknowledgement(
        KUBECTL,
        _packs("LambdaDLQ", NIST, HIPAA, "Serverless"),
        "CloudFormation waits for each answer and fails the deploy without one: a call that died must not be replayed.",
    ),
    Acknowledgement(
        KUBECTL,
        ("Serverless-LambdaTracing",),
        "Called during a deploy only; its log, and the events of the stack, tell where a deploy spent its time.",
    ),
    Acknowledgement(
        f"{KUBECTL}/Handler",
        (f"{SOLUTIONS}-L1", "Serverless-LambdaLatestVersion"),
        "The code is the CDK's, and so is its choice of a supported Python: it follows with the CDK's next release.",
    ),
)
