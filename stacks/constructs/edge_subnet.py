"""A site's own ground in a Local Zone or Wavelength Zone: its subnet and the ways out of it."""

from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.plans import SitePlan
from stacks.zones import ZoneProfile


class EdgeSubnet(Construct):
    """Nothing here has a public address. A Wavelength Zone has a way to its carrier's network."""

    def __init__(self, scope: Construct, name: str, site: SitePlan, vpc: ec2.IVpc, acl_id: str) -> None:
        super().__init__(scope, name)
        self.subnet = ec2.CfnSubnet(
            self,
            "Subnet",
            vpc_id=vpc.vpc_id,
            availability_zone=site.zone,
            cidr_block=site.cidr,
            map_public_ip_on_launch=False,
        )
        Tags.of(self.subnet).add("Name", f"edgemind-{site.name}")
        routes = ec2.CfnRouteTable(self, "Routes", vpc_id=vpc.vpc_id)
        ec2.CfnSubnetRouteTableAssociation(self, "RoutesOfSubnet", subnet_id=self.subnet.ref, route_table_id=routes.ref)
        ec2.CfnSubnetNetworkAclAssociation(self, "AclOfSubnet", subnet_id=self.subnet.ref, network_acl_id=acl_id)
        for service in ("s3", "dynamodb"):
            ec2.CfnVPCEndpoint(
                self,
                f"{service.capitalize()}Endpoint",
                vpc_id=vpc.vpc_id,
                service_name=f"com.amazonaws.{site.region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=[routes.ref],
            )
        if site.profile is ZoneProfile.WAVELENGTH:
            carrier = ec2.CfnCarrierGateway(self, "CarrierGateway", vpc_id=vpc.vpc_id)
            ec2.CfnRoute(
                self,
                "ToTheCarrier",
                route_table_id=routes.ref,
                destination_cidr_block="0.0.0.0/0",
                carrier_gateway_id=carrier.ref,
            )
