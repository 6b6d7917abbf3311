"""What checkov finds and we live with: each for its reason, on the narrowest set of resources.

tests/stacks/test_scanners.py fails on a finding that is not here, and on a line here that explains nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScannerException:
    """`resources` is how their logical ids begin."""

    check: str
    kind: str
    resources: tuple[str, ...]
    reason: str


FUNCTION = "AWS::Lambda::Function"
KUBECTL = ("KubernetesClusterKubectlProvider",)
FROM_THE_CDK = ("CustomVpcRestrictDefaultSG", "CustomS3AutoDeleteObjects")

EXCEPTIONS = (
    ScannerException(
        "CKV_AWS_115", FUNCTION, (*KUBECTL, *FROM_THE_CDK),
        "Only CloudFormation calls it, a few times in a deploy; what is reserved for it, others could not use.",
    ),
    ScannerException(
        "CKV_AWS_116", FUNCTION, (*KUBECTL, *FROM_THE_CDK),
        "CloudFormation waits for its answer and fails the deploy without it; nobody would read a dead letter.",
    ),
    ScannerException(
        "CKV_AWS_117", FUNCTION, FROM_THE_CDK,
        "It calls one API of AWS and nothing inside; in the network, it could not run while that is made or removed.",
    ),
    ScannerException(
        "CKV_AWS_173", FUNCTION, KUBECTL,
        "Its variables are names and ARNs that the template shows, too; AWS encrypts them with its own key.",
    ),
    ScannerException(
        "CKV_AWS_18", "AWS::S3::Bucket", ("LogBucket",),
        "The others' access logs go here; its own would be written for each log that is written.",
    ),
)  # fmt: skip
