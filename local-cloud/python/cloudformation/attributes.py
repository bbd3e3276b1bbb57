"""`Ref` and `Fn::GetAtt` values that the CDK's constructs use and moto does not give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.dynamodb.models.table import Table
from moto.ec2.models.elastic_block_store import Volume, VolumeAttachment
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC, VPCEndPoint
from moto.events.models import EventBus
from moto.route53.models import HealthCheck
from moto.sns.models import Topic
from moto.ssm.models import Parameter
from moto.stepfunctions.models import StateMachine

Read = Callable[[Any], Any]

ATTRIBUTES: dict[type, dict[str, Read]] = {
    VPC: {
        "VpcId": lambda vpc: vpc.id,
        "CidrBlock": lambda vpc: vpc.cidr_block,
        "CidrBlockAssociations": lambda vpc: list(vpc.cidr_block_association_set),
        "DefaultSecurityGroup": lambda vpc: vpc.ec2_backend.get_default_security_group(vpc.id).id,
        "DefaultNetworkAcl": lambda vpc: next(a.id for a in vpc.ec2_backend.network_acls.values() if a.vpc_id == vpc.id),
    },
    Subnet: {
        "SubnetId": lambda subnet: subnet.id,
        "VpcId": lambda subnet: subnet.vpc_id,
        "CidrBlock": lambda subnet: subnet.cidr_block,
        "AvailabilityZone": lambda subnet: subnet.availability_zone,
    },
    VPCEndPoint: {
        "Id": lambda endpoint: endpoint.id,
        "DnsEntries": lambda endpoint: [f"{e.get('hosted_zone_id')}:{e.get('dns_name')}" for e in endpoint.dns_entries],
        "NetworkInterfaceIds": lambda endpoint: list(endpoint.network_interface_ids or []),
    },
    SecurityGroup: {"GroupId": lambda group: group.id, "Id": lambda group: group.id, "VpcId": lambda group: group.vpc_id},
    Instance: {
        "InstanceId": lambda instance: instance.id,
        "VpcId": lambda instance: instance.vpc_id,
        "AvailabilityZone": lambda instance: instance.placement.zone,
    },
    Volume: {"VolumeId": lambda volume: volume.id},
    Topic: {"TopicArn": lambda topic: topic.arn, "TopicName": lambda topic: topic.name},
    Parameter: {"Type": lambda parameter: parameter.parameter_type, "Value": lambda parameter: parameter.value},
    Table: {"TableId": lambda table: table.table_id},
    HealthCheck: {"HealthCheckId": lambda check: check.id},
    EventBus: {"Arn": lambda bus: bus.arn, "Name": lambda bus: bus.name},
    StateMachine: {"Arn": lambda machine: machine.arn, "Name": lambda machine: machine.name},
}

REFERENCES: dict[type, Read] = {
    EventBus: lambda bus: bus.name,
    VolumeAttachment: lambda attachment: f"{attachment.volume.id}|{attachment.instance.id}",
}


def _add(model: type, attributes: dict[str, Read]) -> None:
    read_by_moto = model.get_cfn_attribute if "get_cfn_attribute" in dir(model) else None  # type: ignore[attr-defined]

    def get_cfn_attribute(self: Any, attribute_name: str) -> Any:
        if attribute_name in attributes:
            return attributes[attribute_name](self)
        if read_by_moto is None:
            raise ValueError(f"{model.__name__} has no attribute {attribute_name} in this emulator")
        return read_by_moto(self, attribute_name)

    model.get_cfn_attribute = get_cfn_attribute  # type: ignore[attr-defined]
    model.has_cfn_attr = classmethod(lambda cls, attr: True)  # type: ignore[attr-defined]


def install() -> None:
    for model, attributes in ATTRIBUTES.items():
        _add(model, attributes)
    for model, reference in REFERENCES.items():
        model.physical_resource_id = property(reference)  # type: ignore[attr-defined]
