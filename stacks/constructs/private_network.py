"""A network without a way to or from the internet: private subnets, endpoints for AWS, a second wall of NACLs."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.log_groups import log_group
from stacks.plans import Environment, RegionPlan

INTERFACES = {
    "Ec2": ec2.InterfaceVpcEndpointAwsService.EC2,
    "EcrApi": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Sts": ec2.InterfaceVpcEndpointAwsService.STS,
    "Eks": ec2.InterfaceVpcEndpointAwsService.EKS,
    "EksAuth": ec2.InterfaceVpcEndpointAwsService.EKS_AUTH,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "Kms": ec2.InterfaceVpcEndpointAwsService.KMS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "LoadBalancing": ec2.InterfaceVpcEndpointAwsService.ELASTIC_LOAD_BALANCING,
    "AutoScaling": ec2.InterfaceVpcEndpointAwsService.AUTOSCALING,
    "Lambda": ec2.InterfaceVpcEndpointAwsService.LAMBDA_,
    "BedrockRuntime": ec2.InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME,
    "BedrockAgentCore": ec2.InterfaceVpcEndpointAwsService.BEDROCK_AGENTCORE,
    "CloudFormation": ec2.InterfaceVpcEndpointAwsService.CLOUDFORMATION,
}
"""What nodes, pods and the kubectl provider ask for. S3 and DynamoDB have gateway endpoints, which cost nothing."""

HTTPS = 443
EPHEMERAL = (1024, 65_535)


class PrivateNetwork(Construct):
    def __init__(self, scope: Construct, name: str, plan: Environment, region: RegionPlan, key: kms.IKey) -> None:
        super().__init__(scope, name)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=f"edgemind-{plan.name}",
            ip_addresses=ec2.IpAddresses.cidr(region.cidr),
            max_azs=len(region.cluster_zones),
            nat_gateways=0,
            create_internet_gateway=False,
            restrict_default_security_group=True,
            subnet_configuration=[
                # Three /19 in the lower half; the fourth is kept for load balancers.
                ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=19)
            ],
        )
        self._flow_logs(plan, key)
        self.acl = self._acl(region.cidr)
        self.s3 = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.dynamodb = self.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        self._interfaces(region)

    def _flow_logs(self, plan: Environment, key: kms.IKey) -> None:
        group = log_group(self, "FlowLogs", plan, key)
        role = iam.Role(
            self,
            "FlowLogRole",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": plan.account}}
            ),
        )
        write = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        iam.ManagedPolicy(
            self,
            "FlowLogPolicy",
            description="Flow logs go to their log group",
            statements=[iam.PolicyStatement(actions=write, resources=[group.log_group_arn])],
            roles=[role],
        )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role.without_policy_updates()),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )

    def _acl(self, cidr: str) -> ec2.NetworkAcl:
        """Inside everything; outside only HTTPS and its answers, since S3 and DynamoDB have public addresses."""
        acl = ec2.NetworkAcl(
            self,
            "Acl",
            vpc=self.vpc,
            subnet_selection=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        )
        inside, anywhere = ec2.AclCidr.ipv4(cidr), ec2.AclCidr.any_ipv4()
        https, answers = ec2.AclTraffic.tcp_port(HTTPS), ec2.AclTraffic.tcp_port_range(*EPHEMERAL)
        egress, ingress = ec2.TrafficDirection.EGRESS, ec2.TrafficDirection.INGRESS
        acl.add_entry("InsideIn", cidr=inside, rule_number=100, traffic=ec2.AclTraffic.all_traffic(), direction=ingress)
        acl.add_entry("InsideOut", cidr=inside, rule_number=100, traffic=ec2.AclTraffic.all_traffic(), direction=egress)
        acl.add_entry("HttpsOut", cidr=anywhere, rule_number=200, traffic=https, direction=egress)
        acl.add_entry("AnswersIn", cidr=anywhere, rule_number=200, traffic=answers, direction=ingress)
        return acl

    def _interfaces(self, region: RegionPlan) -> None:
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="Interface endpoints of AWS services", allow_all_outbound=False
        )
        group.add_ingress_rule(ec2.Peer.ipv4(region.cidr), ec2.Port.tcp(HTTPS), "HTTPS from inside the network")
        subnets = ec2.SubnetSelection(
            subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, availability_zones=list(region.endpoint_zones), one_per_az=True
        )
        for name, service in INTERFACES.items():
            self.vpc.add_interface_endpoint(name, service=service, subnets=subnets, security_groups=[group], open=False)
