"""Nodes that AWS may take back at two minutes' notice, for work that nobody waits for."""

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct


def spot_pool(scope: Construct, cluster: eks.ICluster, cpu_limit: int) -> eks.KubernetesManifest:
    """Only pods that tolerate `edgemind.io/interruptible` come here; `cpu_limit` bounds the pool's vCPUs."""
    template = {
        "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"},
        "taints": [{"key": "edgemind.io/interruptible", "value": "true", "effect": "NoSchedule"}],
        "requirements": [
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]},
            {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
            {"key": "eks.amazonaws.com/instance-category", "operator": "In", "values": ["c", "m", "r"]},
        ],
    }
    manifest = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "interruptible"},
        "spec": {
            "template": {"metadata": {"labels": {"edgemind.io/interruptible": "true"}}, "spec": template},
            "limits": {"cpu": str(cpu_limit)},
            "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "60s"},
        },
    }
    return eks.KubernetesManifest(scope, "SpotPool", cluster=cluster, manifest=[manifest])
