"""Networks as templates describe them.

AWS::EC2::SecurityGroup, AWS::EC2::SecurityGroupIngress, AWS::EC2::SecurityGroupEgress, AWS::EC2::Subnet (public
addresses), AWS::EC2::VPC (DNS settings), AWS::EC2::VPCEndpoint.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupIngress
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC, VPCEndPoint

from .adapter import Made, Request, register, replace, retire


def _peer(rule: dict[str, Any], side: str) -> dict[str, Any]:
    """A rule in the words of moto's authorize and revoke calls."""
    description = rule.get("Description")
    ranges = []
    if rule.get("CidrIp"):
        ranges.append({"CidrIp": rule["CidrIp"], "Description": description})
    if rule.get("CidrIpv6"):
        ranges.append({"CidrIpv6": rule["CidrIpv6"], "Description": description})
    group = rule.get(f"{side}SecurityGroupId")
    prefix_list = rule.get(f"{side}PrefixListId")
    return {
        "ip_protocol": str(rule["IpProtocol"]),
        "from_port": rule.get("FromPort"),
        "to_port": rule.get("ToPort"),
        "ip_ranges": ranges,
        "source_groups": [{"GroupId": group, "Description": description}] if group else [],
        "prefix_list_ids": [{"PrefixListId": prefix_list}] if prefix_list else [],
    }


def _allow(request_region: Any, group_id: str, rule: dict[str, Any], egress: bool) -> dict[str, Any]:
    peer = _peer(rule, "Destination" if egress else "Source")
    call = request_region.authorize_security_group_egress if egress else request_region.authorize_security_group_ingress
    call(group_name_or_id=group_id, **peer)
    return peer


def _security_group(request: Request) -> Any:
    properties, backend = request.properties, ec2_backends[request.account][request.region]
    group = backend.create_security_group(
        name=request.name, description=properties["GroupDescription"], vpc_id=properties.get("VpcId"), tags=request.tag_map()
    )
    for rule in properties.get("SecurityGroupIngress") or []:
        _allow(backend, group.id, rule, egress=False)
    if properties.get("SecurityGroupEgress"):
        # Rules of one's own take the place of "all traffic to everywhere".
        group.egress_rules.clear()
        for rule in properties["SecurityGroupEgress"]:
            _allow(backend, group.id, rule, egress=True)
    return group


def _rule(egress: bool) -> Any:
    def make(request: Request) -> Made:
        backend = ec2_backends[request.account][request.region]
        group_id = request.properties["GroupId"]
        peer = _allow(backend, group_id, request.properties, egress)
        revoke = backend.revoke_security_group_egress if egress else backend.revoke_security_group_ingress
        return Made(request.name, {"Id": request.name}, lambda: revoke(group_name_or_id=group_id, **peer))

    return make


_create_subnet = Subnet.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]
_create_vpc = VPC.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]


def _subnet(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **rest: Any) -> Any:
    subnet = _create_subnet(cls, resource_name, cloudformation_json, account_id, region_name, **rest)
    subnet.map_public_ip_on_launch = bool(cloudformation_json["Properties"].get("MapPublicIpOnLaunch", False))
    return subnet


def _vpc(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **rest: Any) -> Any:
    vpc = _create_vpc(cls, resource_name, cloudformation_json, account_id, region_name, **rest)
    properties = cloudformation_json["Properties"]
    vpc.enable_dns_hostnames = bool(properties.get("EnableDnsHostnames", False))
    vpc.enable_dns_support = bool(properties.get("EnableDnsSupport", True))
    return vpc


def _endpoint(request: Request) -> Any:
    properties, backend = request.properties, ec2_backends[request.account][request.region]
    endpoint = backend.create_vpc_endpoint(
        vpc_id=properties["VpcId"],
        service_name=properties["ServiceName"],
        endpoint_type=properties.get("VpcEndpointType", "Gateway"),
        policy_document=properties.get("PolicyDocument"),
        route_table_ids=properties.get("RouteTableIds") or [],
        subnet_ids=properties.get("SubnetIds") or [],
        security_group_ids=properties.get("SecurityGroupIds") or [],
        private_dns_enabled=properties.get("PrivateDnsEnabled"),
    )
    return endpoint


def install() -> None:
    replace(SecurityGroup, _security_group)
    retire(SecurityGroupIngress)
    register("AWS::EC2::SecurityGroupIngress", _rule(egress=False))
    register("AWS::EC2::SecurityGroupEgress", _rule(egress=True))
    Subnet.create_from_cloudformation_json = classmethod(_subnet)  # type: ignore[assignment, method-assign]
    VPC.create_from_cloudformation_json = classmethod(_vpc)  # type: ignore[assignment, method-assign]
    replace(VPCEndPoint, _endpoint)
