"""Machines and disks as templates describe them.

AWS::EC2::Instance (all block device mappings, security groups, profile, launch template), AWS::EC2::Volume,
AWS::EC2::VolumeAttachment (through moto), AWS::EC2::LaunchTemplate (through moto), AWS::EC2::KeyPair.
"""

from __future__ import annotations

from typing import Any

import ec2_capacity
import ec2_images
import ec2_instances
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Volume
from moto.ec2.models.instances import Instance

from .adapter import Made, Request, register, replace

_RENAMED = {"SecurityGroupIds", "NetworkInterfaces", "IamInstanceProfile", "Tags", "Volumes", "AvailabilityZone", "Tenancy", "Monitoring", "LaunchTemplate"}


def _instance(request: Request) -> Any:
    properties, backend = request.properties, ec2_backends[request.account][request.region]
    asked = {key: value for key, value in properties.items() if key not in _RENAMED}
    asked["BlockDeviceMappings"] = [_typed(mapping) for mapping in properties.get("BlockDeviceMappings") or []]
    asked["SecurityGroupIds"] = properties.get("SecurityGroupIds") or []
    if properties.get("NetworkInterfaces"):
        asked["NetworkInterfaces"] = [_interface(i) for i in properties["NetworkInterfaces"]]
    if properties.get("IamInstanceProfile"):
        asked["IamInstanceProfile"] = {"Name": properties["IamInstanceProfile"]}
    if properties.get("AvailabilityZone"):
        asked["Placement"] = {"AvailabilityZone": properties["AvailabilityZone"]}
    if properties.get("LaunchTemplate"):
        asked["LaunchTemplate"] = {**properties["LaunchTemplate"], "Version": str(properties["LaunchTemplate"].get("Version", "$Default"))}
    if properties.get("Monitoring"):
        asked["Monitoring"] = {"Enabled": True}
    asked = ec2_instances.effective(backend, asked)
    asked["from_template"] = True
    _public_image(backend, asked)
    instance = ec2_instances.launch(backend, asked).instances[0]
    for volume in properties.get("Volumes") or []:
        backend.attach_volume(volume["VolumeId"], instance.id, volume["Device"])
    if properties.get("SourceDestCheck") is False:
        instance.source_dest_check = False
    return instance


def _public_image(backend: Any, asked: dict[str, Any]) -> None:
    """An example workload may name any public image: the local cloud has one under each id that a template uses."""
    if asked.get("ImageId") and asked["ImageId"] not in backend.amis and asked["ImageId"] not in backend.deleted_amis:
        supported = ec2_capacity.architectures(asked.get("InstanceType", "m1.small"))
        ec2_images.stock(backend, asked["ImageId"], "x86_64" if not supported or "x86_64" in supported else supported[0])


def _typed(mapping: dict[str, Any]) -> dict[str, Any]:
    """Numbers and booleans may be strings in a template."""
    ebs = dict(mapping.get("Ebs") or {})
    for key in ("VolumeSize", "Iops", "Throughput"):
        if key in ebs:
            ebs[key] = int(ebs[key])
    for key in ("Encrypted", "DeleteOnTermination"):
        if key in ebs:
            ebs[key] = str(ebs[key]).lower() == "true"
    return {**mapping, "Ebs": ebs} if "Ebs" in mapping else dict(mapping)


def _interface(given: dict[str, Any]) -> dict[str, Any]:
    renamed = {("Groups" if key == "GroupSet" else key): value for key, value in given.items()}
    renamed["DeviceIndex"] = int(renamed.get("DeviceIndex", 0))
    return renamed


def _volume(request: Request) -> Any:
    properties = request.properties
    size = properties.get("Size")
    return ec2_backends[request.account][request.region].create_volume(
        size=None if size is None else int(size),  # type: ignore[arg-type]
        zone_name=properties["AvailabilityZone"],
        snapshot_id=properties.get("SnapshotId"),
        encrypted=str(properties.get("Encrypted", False)).lower() == "true",
        kms_key_id=properties.get("KmsKeyId"),
        volume_type=properties.get("VolumeType"),
        iops=properties.get("Iops"),
        throughput=properties.get("Throughput"),
    )


def _key_pair(request: Request) -> Made:
    backend = ec2_backends[request.account][request.region]
    name = request.properties["KeyName"]
    pair = backend.create_key_pair(name, request.properties.get("KeyType", "rsa"), request.tag_map())
    return Made(name, {"KeyPairId": pair.id, "KeyFingerprint": pair.fingerprint}, lambda: backend.delete_key_pair(name))


def _delete_volume(self: Any, account_id: str, region_name: str) -> None:
    if self.attachment:
        self.ec2_backend.detach_volume(self.id, self.attachment.instance.id, self.attachment.device)
    self.ec2_backend.delete_volume(self.id)


def install() -> None:
    replace(Instance, _instance)
    replace(Volume, _volume)
    Volume.delete = _delete_volume  # type: ignore[attr-defined]
    register("AWS::EC2::KeyPair", _key_pair, "KeyName")
