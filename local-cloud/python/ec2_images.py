"""AMIs that are registered from snapshots, made from instances, copied, or public.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html (encryption follows the snapshot)
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html, .../API_CopyImage.html,
  .../API_DeregisterImage.html

moto keeps no block device mappings: each of its images invents a snapshot of 15 GiB.
"""

from __future__ import annotations

import re
from typing import Any

import ec2_storage
import ec2_volumes
from gateway import ACCOUNT
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, UnvailableAMIIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import random_ami_id

NAME = re.compile(r"^[A-Za-z0-9()\[\] ./\-'@_]{3,128}$")
STOCK_ROOT_GIB = 8


class LocalImage(Ami):
    """An image as its request described it."""

    __module__ = "moto.ec2.local_cloud"

    def __init__(self, backend: Any, image_id: str, request: dict[str, Any], mappings: list[dict[str, Any]]) -> None:
        self.ec2_backend = backend
        self.id = image_id
        self.state = "available"
        self.name = request.get("Name")
        self.description = request.get("Description", "")
        self.image_type = "machine"
        self.owner_id = request.get("OwnerId") or backend.account_id
        self.owner_alias = request.get("OwnerAlias")
        self.image_location = f"{self.owner_id}/{self.name}"
        self.virtualization_type = request.get("VirtualizationType", "paravirtual")
        self.architecture = request.get("Architecture", "i386")
        self.kernel_id = request.get("KernelId")
        self.platform = request.get("Platform")
        self.platform_details = request.get("PlatformDetails", "Linux/UNIX")
        self.usage_operation = request.get("UsageOperation", "RunInstances")
        self.hypervisor = "xen"
        self.root_device_name = request.get("RootDeviceName", "/dev/sda1")
        self.root_device_type = "ebs"
        self.sriov = self.sriov_net_support = request.get("SriovNetSupport")
        self.ena_support = bool(request.get("EnaSupport", False))
        self.boot_mode = request.get("BootMode")
        self.tpm_support = request.get("TpmSupport")
        self.imds_support = request.get("ImdsSupport")
        self.uefi_data = request.get("UefiData")
        self.creation_date = utcnow()
        self.product_codes = set()
        self.instance_id = self.source_instance_id_ = request.get("SourceInstanceId")
        self.launch_permissions = [{"Group": "all"}] if self.owner_alias else []
        self.mappings = mappings

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return self.mappings

    @property
    def public(self) -> bool:
        return self.is_public


def find(backend: Any, image_id: str | None) -> LocalImage:
    if not image_id:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter ImageId")
    image = backend.amis.get(image_id)
    if image is None:
        if image_id in backend.deleted_amis:
            raise UnvailableAMIIdError(image_id)
        raise InvalidAMIIdError(image_id)
    return image


def stock(backend: Any, image_id: str, architecture: str, name: str | None = None) -> LocalImage:
    """A public Amazon Linux image under the id that a template names. The local cloud's workloads need one to start from."""
    if image_id in backend.amis:
        return backend.amis[image_id]
    root = ec2_storage.LocalSnapshot(backend, ec2_storage.COPIED_VOLUME_ID, STOCK_ROOT_GIB, f"Root of {image_id}", False, None, image_id)
    root.owner_id = "137112412989"
    root.complete()
    backend.__dict__.setdefault("_local_public_snapshots", {})[root.id] = root
    backend.snapshots[root.id] = root
    request = {
        "Name": name or f"al2023-ami-{image_id}-{architecture}",
        "OwnerId": "137112412989",
        "OwnerAlias": "amazon",
        "Architecture": architecture,
        "VirtualizationType": "hvm",
        "RootDeviceName": "/dev/xvda",
        "EnaSupport": True,
        "SriovNetSupport": "simple",
        "BootMode": "uefi-preferred" if architecture == "x86_64" else "uefi",
    }
    mapping = _mapping("/dev/xvda", root, {"VolumeType": "gp3", "DeleteOnTermination": True})
    return _add(backend, LocalImage(backend, image_id, request, [mapping]))


def _mapping(device: str, snapshot: Any, ebs: dict[str, Any]) -> dict[str, Any]:
    kept = {key: ebs[key] for key in ("Iops", "Throughput") if ebs.get(key) is not None}
    return {
        "DeviceName": device,
        "Ebs": {
            "SnapshotId": snapshot.id,
            "VolumeSize": ec2_volumes.check_size(ebs.get("VolumeSize"), snapshot),
            "VolumeType": ebs.get("VolumeType") or "gp2",
            "DeleteOnTermination": bool(ebs.get("DeleteOnTermination", True)),
            "Encrypted": snapshot.encrypted,
            **kept,
        },
    }


def _users(backend: Any) -> dict[str, set[str]]:
    """Image ids by the snapshot that they use."""
    return backend.__dict__.setdefault("_local_snapshot_images", {})


def _names(backend: Any) -> dict[str, str]:
    return backend.__dict__.setdefault("_local_image_names", {})


def _add(backend: Any, image: LocalImage) -> LocalImage:
    backend.amis[image.id] = image
    _names(backend)[str(image.name)] = image.id
    for mapping in image.mappings:
        if "Ebs" in mapping and mapping["Ebs"].get("SnapshotId"):
            _users(backend).setdefault(mapping["Ebs"]["SnapshotId"], set()).add(image.id)
    return image


def _check_name(backend: Any, name: str | None) -> None:
    if not name:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter name")
    if not NAME.match(name):
        raise EC2ClientError("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'")
    if name in _names(backend):
        raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {_names(backend)[name]}")


def register(backend: Any, request: dict[str, Any]) -> LocalImage:
    _check_name(backend, request.get("Name"))
    mappings = [_registered(backend, given) for given in request.get("BlockDeviceMappings") or []]
    root = request.get("RootDeviceName", "/dev/sda1")
    if not any(m["DeviceName"] == root and m.get("Ebs", {}).get("SnapshotId") for m in mappings):
        raise EC2ClientError("InvalidBlockDeviceMapping", f"The root device {root} must have a mapping with a snapshot.")
    virtualization = request.get("VirtualizationType", "paravirtual")
    if str(request.get("BootMode", "")).startswith("uefi") and virtualization != "hvm":
        raise EC2ClientError("InvalidParameterCombination", "UEFI boot requires the virtualization type hvm.")
    if request.get("TpmSupport") and request.get("BootMode") != "uefi":
        raise EC2ClientError("InvalidParameterCombination", "NitroTPM requires the boot mode uefi.")
    image = _add(backend, LocalImage(backend, random_ami_id(), request, mappings))
    image.add_tags(ec2_volumes.tags_by_type(request).get("image", {}))
    return image


def _registered(backend: Any, given: dict[str, Any]) -> dict[str, Any]:
    device, ebs = given["DeviceName"], given.get("Ebs")
    if ebs is None:
        return dict(given)
    if not ebs.get("SnapshotId"):
        return {"DeviceName": device, "Ebs": {"DeleteOnTermination": True, "VolumeType": "gp2", **ebs}}
    for key in ("Encrypted", "KmsKeyId"):
        if ebs.get(key) is not None:
            raise EC2ClientError("InvalidParameterCombination", f"The parameter {key} cannot be specified for a device with a snapshot ({device}).")
    return _mapping(device, ec2_storage.completed_snapshot(backend, ebs["SnapshotId"]), ebs)


# Actions


def _register_action(self: Any) -> ActionResult:
    self.error_on_dryrun()
    return ActionResult({"ImageId": register(self.ec2_backend, self.params).id})


def _deregister_action(self: Any) -> ActionResult:
    backend, image_id = self.ec2_backend, self.params["ImageId"]
    image = find(backend, image_id)
    self.error_on_dryrun()
    del backend.amis[image_id]
    backend.deleted_amis.append(image_id)
    _names(backend).pop(str(image.name), None)
    snapshot_ids = [m["Ebs"]["SnapshotId"] for m in image.mappings if m.get("Ebs", {}).get("SnapshotId")]
    results = []
    for snapshot_id in snapshot_ids:
        users = _users(backend).get(snapshot_id, set())
        users.discard(image_id)
        if self.params.get("DeleteAssociatedSnapshots"):
            backend.delete_snapshot(snapshot_id)
            results.append({"SnapshotId": snapshot_id, "ReturnCode": "success"})
    backend.tags.pop(image_id, None)
    return ActionResult({"Return": True, "DeleteSnapshotResults": results})


def _create_image_action(self: Any) -> ActionResult:
    p, backend = self.params, self.ec2_backend
    instance = backend.get_instance(p["InstanceId"])
    _check_name(backend, p.get("Name"))
    self.error_on_dryrun()
    devices = {device: mapping.volume_id for device, mapping in instance.block_device_mapping.items()}
    taken = ec2_storage.take(backend, list(devices.values()), f"Created by CreateImage({instance.id})")
    tags = ec2_volumes.tags_by_type(p)
    mappings = []
    for device, snapshot in zip(devices, taken, strict=True):
        volume = backend.get_volume(snapshot.volume_id)
        snapshot.add_tags(tags.get("snapshot", {}))
        mappings.append(_mapping(device, snapshot, {"VolumeType": volume.volume_type, "Iops": volume.iops, "Throughput": volume.throughput}))
    ec2_storage.finish_later(backend, taken)
    source = {key: getattr(instance, attribute, None) for key, attribute in CARRIED.items()}
    image = _add(backend, LocalImage(backend, random_ami_id(), {**source, **p, "SourceInstanceId": instance.id}, mappings))
    image.add_tags(tags.get("image", {}))
    return ActionResult({"ImageId": image.id})


CARRIED = {
    "Architecture": "architecture",
    "BootMode": "boot_mode",
    "EnaSupport": "ena_support",
    "PlatformDetails": "platform_details",
    "RootDeviceName": "root_device_name",
    "SriovNetSupport": "sriov_net_support",
    "TpmSupport": "tpm_support",
    "UsageOperation": "usage_operation",
    "VirtualizationType": "virtualization_type",
}


def _copy_image_action(self: Any) -> ActionResult:
    p, backend = self.params, self.ec2_backend
    source = find(ec2_backends[ACCOUNT][p["SourceRegion"]], p["SourceImageId"])
    _check_name(backend, p.get("Name"))
    self.error_on_dryrun()
    mappings = []
    for mapping in source.mappings:
        copied = ec2_storage.copy(backend, p["SourceRegion"], mapping["Ebs"]["SnapshotId"], f"Copied for {source.id}", bool(p.get("Encrypted")), p.get("KmsKeyId"))
        mappings.append(_mapping(mapping["DeviceName"], copied, mapping["Ebs"]))
    carried = {key: getattr(source, attribute, None) for key, attribute in CARRIED.items()}
    image = _add(backend, LocalImage(backend, random_ami_id(), {**carried, **p}, mappings))
    image.add_tags(ec2_volumes.tags_by_type(p).get("image", {}))
    return ActionResult({"ImageId": image.id})


def install() -> None:
    AmisResponse.register_image = _register_action  # type: ignore[method-assign]
    AmisResponse.deregister_image = _deregister_action  # type: ignore[method-assign]
    AmisResponse.create_image = _create_image_action  # type: ignore[method-assign]
    AmisResponse.copy_image = _copy_image_action  # type: ignore[method-assign]
    by_all = AmiBackend.describe_images

    def describe_images(self: Any, ami_ids: Any = None, filters: Any = None, exec_users: Any = None, owners: Any = None) -> Any:
        """By id without a look at all images; and one unknown id is an error, not only if all are."""
        if not ami_ids:
            wanted = (filters or {}).get("image-id")
            if wanted and len(filters) == 1 and not owners and not exec_users:
                return [self.amis[i] for i in ([wanted] if isinstance(wanted, str) else wanted) if i in self.amis]
            return by_all(self, ami_ids, filters, exec_users, owners)
        for ami_id in ami_ids:
            if ami_id not in self.amis and ami_id not in self.deleted_amis:
                raise InvalidAMIIdError(ami_id)
        return [self.amis[ami_id] for ami_id in ami_ids if ami_id in self.amis]

    AmiBackend.describe_images = describe_images  # type: ignore[method-assign]
