"""EC2's instances: launched from images with snapshots, with addresses, tags and volumes as asked for.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html (a launch's mappings override the
  image's, field by field)
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html (a request overrides its template)
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html (state-change events)
"""

from __future__ import annotations

import ipaddress
from typing import Any

import ec2_capacity
import ec2_images
import ec2_keys
import ec2_storage
import events
from ec2_volumes import check_size, idempotent, tags_by_type
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidParameterCombination
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import filter_iam_instance_profiles, parse_user_data

RESERVED_ADDRESSES = 4
"""At the start of each subnet, and one at its end."""
USER_DATA_LIMIT = 16_384


def effective(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The request over its launch template."""
    reference = request.get("LaunchTemplate")
    if not reference:
        return request
    version = backend._get_template_from_args(_numbered(backend, reference))
    data = {key: value for key, value in dict(version.data).items() if value is not None}
    merged = {**data, **{k: v for k, v in request.items() if k not in ("LaunchTemplate", "TagSpecifications", "BlockDeviceMappings")}}
    merged["TagSpecifications"] = [*(data.get("TagSpecifications") or []), *(request.get("TagSpecifications") or [])]
    merged["BlockDeviceMappings"] = [*(data.get("BlockDeviceMappings") or []), *(request.get("BlockDeviceMappings") or [])]
    merged["template_tags"] = {"aws:ec2launchtemplate:id": version.template.id, "aws:ec2launchtemplate:version": str(version.number)}
    if request.get("SubnetId") or request.get("PrivateIpAddress"):
        merged.pop("NetworkInterfaces", None)
    return merged


def _numbered(backend: Any, reference: dict[str, Any]) -> dict[str, Any]:
    version = reference.get("Version")
    if version not in ("$Latest", "$Default"):
        return reference
    rest = {key: value for key, value in reference.items() if key != "Version"}
    template = backend._get_template_from_args(rest).template
    return {**rest, "Version": template.latest_version_number if version == "$Latest" else template.default_version_number}


def launch(backend: Any, request: dict[str, Any]) -> Any:
    """Checks everything first: a launch that fails leaves nothing behind."""
    image = ec2_images.find(backend, request.get("ImageId"))
    instance_type = request.get("InstanceType", "m1.small")
    interfaces = [dict(i) for i in request.get("NetworkInterfaces") or []]
    first = interfaces[0] if interfaces else {}
    count = int(request.get("MaxCount", 1))
    subnet = _subnet(backend, request, first)
    address = request.get("PrivateIpAddress") or first.get("PrivateIpAddress")
    if address:
        _check_address(backend, subnet, address, count)
    ec2_capacity.check(backend.region_name, subnet.availability_zone, instance_type, image.architecture)
    mappings = _mappings(backend, image, request.get("BlockDeviceMappings") or [])
    profile = _profile(backend, request.get("IamInstanceProfile"))
    _check_key(backend, request)
    user_data = request.get("UserData")
    if user_data and len(user_data) > USER_DATA_LIMIT * 4 / 3 + 4:
        raise EC2ClientError("InvalidParameterValue", "User data is limited to 16384 bytes")
    reservation = _run(backend, request, image, instance_type, subnet, interfaces, address, count)
    tags = tags_by_type(request)
    for instance in reservation.instances:
        _describe(instance, image, request)
        instance.add_tags({**request.get("template_tags", {}), **tags.get("instance", {})})
        _add_volumes(backend, instance, mappings, tags.get("volume", {}))
        _add_interfaces(instance, interfaces, tags.get("network-interface", {}))
        if profile is not None:
            backend.associate_iam_instance_profile(instance_id=instance.id, iam_instance_profile_name=profile.name)
        _announce(instance, "running")
    return reservation


def _subnet(backend: Any, request: dict[str, Any], interface: dict[str, Any]) -> Any:
    if request.get("NetworkInterfaces") and request.get("SubnetId"):
        raise InvalidParameterCombination("Network interfaces and an instance-level subnet ID may not be specified on the same request")
    subnet_id = request.get("SubnetId") or interface.get("SubnetId")
    if interface.get("NetworkInterfaceId"):
        return backend.get_network_interface(interface["NetworkInterfaceId"]).subnet
    if subnet_id:
        return backend.get_subnet(subnet_id)
    zone = (request.get("Placement") or {}).get("AvailabilityZone") or f"{backend.region_name}a"
    default = backend.get_default_subnets().get(zone)
    if default is None:
        raise EC2ClientError("MissingInput", f"No default subnet for availability zone: '{zone}'.")
    return default


def _check_address(backend: Any, subnet: Any, address: str, count: int) -> None:
    if count > 1:
        raise EC2ClientError("InvalidParameterCombination", "A private IP address can be given to one instance only.")
    network = ipaddress.ip_network(subnet.cidr_block)
    offset = int(ipaddress.ip_address(address)) - int(network.network_address)
    if not RESERVED_ADDRESSES <= offset < network.num_addresses - 1:
        raise EC2ClientError("InvalidParameterValue", f"Address {address} does not fall within the subnet's address range")
    if address in subnet._subnet_ips:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def _mappings(backend: Any, image: Any, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {m["DeviceName"]: dict(m["Ebs"]) for m in image.mappings if "Ebs" in m}
    for mapping in given:
        device, ebs = mapping["DeviceName"], mapping.get("Ebs") or {}
        if mapping.get("NoDevice") is not None:
            merged.pop(device, None)
        elif "Ebs" in mapping:
            merged[device] = {**merged.get(device, {}), **{k: v for k, v in ebs.items() if v is not None}}
            if ebs.get("VolumeType") and "Throughput" not in ebs and ebs["VolumeType"] != "gp3":
                merged[device].pop("Throughput", None)
    return [{"DeviceName": device, **_checked(backend, device, ebs, given)} for device, ebs in merged.items()]


def _checked(backend: Any, device: str, ebs: dict[str, Any], given: list[dict[str, Any]]) -> dict[str, Any]:
    if not ebs.get("SnapshotId"):
        if not ebs.get("VolumeSize"):
            raise EC2ClientError("MissingParameter", f"The request must contain the parameter size or snapshotId ({device})")
        return ebs
    snapshot = ec2_storage.completed_snapshot(backend, ebs["SnapshotId"])
    asked = next((m["Ebs"] for m in given if m["DeviceName"] == device and "Ebs" in m), {})
    if snapshot.encrypted and asked.get("Encrypted") is False:
        raise EC2ClientError("InvalidParameterCombination", f"The encrypted snapshot of {device} cannot give an unencrypted volume.")
    if ebs.get("KmsKeyId") and not ec2_keys.usable(backend.region_name, ec2_keys.resolve(backend, ebs["KmsKeyId"])):
        raise EC2ClientError("InvalidKmsKey.NotFound", f"The specified KMS key '{ebs['KmsKeyId']}' does not exist or is not enabled.")
    check_size(ebs.get("VolumeSize"), snapshot)
    return ebs


def _profile(backend: Any, given: dict[str, Any] | None) -> Any:
    if not given:
        return None
    name, arn = given.get("Name"), given.get("Arn")
    try:
        return filter_iam_instance_profiles(backend.account_id, backend.partition, iam_instance_profile_arn=arn, iam_instance_profile_name=name)
    except Exception as error:
        which = "iamInstanceProfile.arn" if arn else "iamInstanceProfile.name"
        raise EC2ClientError("InvalidParameterValue", f"Value ({arn or name}) for parameter {which} is invalid. Invalid IAM Instance Profile {'ARN' if arn else 'name'}") from error


def _check_key(backend: Any, request: dict[str, Any]) -> None:
    key = request.get("KeyName")
    if key and not request.get("from_template") and key not in backend.key_pairs:
        raise EC2ClientError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")


def _run(backend: Any, request: dict[str, Any], image: Any, instance_type: str, subnet: Any, interfaces: list[dict[str, Any]], address: str | None, count: int) -> Any:
    groups = list(request.get("SecurityGroupIds") or [])
    nics = [{"DeviceIndex": 0, **interface} for interface in interfaces]
    return backend.run_instances(
        image.id,
        count,
        parse_user_data(request.get("UserData")),
        list(request.get("SecurityGroups") or []),
        instance_type=instance_type,
        # moto would look for the type among the offerings of all Regions, which was done already.
        is_instance_type_default=True,
        region_name=backend.region_name,
        subnet_id=None if nics else subnet.id,
        nics=nics,
        private_ip=address,
        associate_public_ip=request.get("AssociatePublicIpAddress"),
        key_name=request.get("KeyName"),
        security_group_ids=groups,
        ebs_optimized=request.get("EbsOptimized") or False,
        disable_api_stop=request.get("DisableApiStop") or False,
        disable_api_termination=request.get("DisableApiTermination") or False,
        instance_initiated_shutdown_behavior=request.get("InstanceInitiatedShutdownBehavior"),
        metadata_options=request.get("MetadataOptions") or {},
        monitoring_state="enabled" if (request.get("Monitoring") or {}).get("Enabled") else "disabled",
        client_token=request.get("ClientToken"),
        block_device_mappings=[],
        tags={},
    )


def _describe(instance: Any, image: Any, request: dict[str, Any]) -> None:
    for attribute in ("architecture", "virtualization_type", "root_device_name", "boot_mode", "ena_support", "sriov_net_support", "tpm_support", "platform_details", "usage_operation", "platform"):
        setattr(instance, attribute, getattr(image, attribute, None))
    instance.launch_time = instance.launch_time.replace(microsecond=0)
    instance.current_instance_boot_mode = "uefi" if str(image.boot_mode).startswith("uefi") else "legacy-bios"
    instance.hypervisor = "xen"
    instance.capacity_reservation_specification = request.get("CapacityReservationSpecification")
    instance.cpu_options = request.get("CpuOptions")
    instance.product_codes = []


def _add_volumes(backend: Any, instance: Any, mappings: list[dict[str, Any]], tags: dict[str, str]) -> None:
    for mapping in mappings:
        volume = backend.create_volume(
            size=mapping.get("VolumeSize"),
            zone_name=instance.placement.zone,
            snapshot_id=mapping.get("SnapshotId"),
            encrypted=mapping.get("Encrypted", False),
            kms_key_id=mapping.get("KmsKeyId"),
            volume_type=mapping.get("VolumeType"),
            iops=mapping.get("Iops"),
            throughput=mapping.get("Throughput"),
        )
        volume.add_tags(tags)
        backend.attach_volume(volume.id, instance.id, mapping["DeviceName"], bool(mapping.get("DeleteOnTermination", True)))


def _add_interfaces(instance: Any, interfaces: list[dict[str, Any]], tags: dict[str, str]) -> None:
    given = {int(i.get("DeviceIndex", 0)): i for i in interfaces}
    for index, nic in instance.nics.items():
        asked = given.get(index, {})
        # An interface that the launch made goes with its instance, unless the request says otherwise.
        default = not asked.get("NetworkInterfaceId")
        nic.delete_on_termination = bool(asked.get("DeleteOnTermination", default))
        nic.add_tags(tags)


def _announce(instance: Any, state: str) -> None:
    detail = {"instance-id": instance.id, "state": state}
    arn = f"arn:aws:ec2:{instance.region_name}:{instance.owner_id}:instance/{instance.id}"
    events.emit(instance.region_name, "EC2 Instance State-change Notification", [arn], detail)


def _run_action(self: Any) -> ActionResult:
    backend, request = self.ec2_backend, dict(self.params)
    self.error_on_dryrun()
    return ActionResult(idempotent(backend, "RunInstances", request, lambda: launch(backend, effective(backend, request))))


def _announcing(name: str, state: str) -> None:
    """A change of an instance's state is also an event; and a start gives a new launch time."""
    change = getattr(Instance, name)

    def changed(self: Any) -> Any:
        before = self.state
        result = change(self)
        if name == "start":
            self.launch_time = utcnow().replace(microsecond=0)
        if self.state != before:
            _announce(self, state)
        return result

    setattr(Instance, name, changed)


def install() -> None:
    InstanceResponse.run_instances = _run_action  # type: ignore[method-assign]
    for name, state in (("start", "running"), ("stop", "stopped"), ("terminate", "terminated")):
        _announcing(name, state)
    # moto returns an address by a finalizer, which may run after the address was given away again.
    Instance.__del__ = lambda self: None  # type: ignore[method-assign]
    terminate = InstanceBackend.terminate_instances

    def terminate_once(self: Any, instance_ids: list[str]) -> Any:
        running = [i for i in instance_ids if self.get_instance(i).state != "terminated"]
        ended = {i: self.get_instance(i) for i in instance_ids if i not in running}
        done = terminate(self, running) if running else []
        return [*done, *((instance, instance._state) for instance in ended.values())]

    InstanceBackend.terminate_instances = terminate_once  # type: ignore[method-assign]
