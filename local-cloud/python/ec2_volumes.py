"""EC2's volume and snapshot actions, as their requests carry them.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html (from a snapshot: its bytes, its encryption)
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Run_Instance_Idempotency.html (client tokens)
- https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html (defaults of gp3)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import ec2_keys
import ec2_storage
from block_store import STORE
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend, VolumeAttachment
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.utils import convert_tag_spec

GP3_THROUGHPUT = 125
GP2_IOPS_MIN, GP2_IOPS_PER_GIB, GP2_IOPS_MAX = 100, 3, 16_000
_NOT_PARAMETERS = ("ClientToken", "DryRun")


def tags_by_type(parameters: dict[str, Any]) -> dict[str, dict[str, str]]:
    specifications = parameters.get("TagSpecifications") or []
    return convert_tag_spec([s for s in specifications if s.get("Tags")])


def idempotent(backend: Any, action: str, parameters: dict[str, Any], act: Callable[[], Any]) -> Any:
    """What the first request with the token made; another request may not carry the token."""
    token = parameters.get("ClientToken")
    if not token:
        return act()
    tokens: dict[tuple[str, str], tuple[str, Any]] = backend.__dict__.setdefault("_local_tokens", {})
    asked = json.dumps({k: v for k, v in parameters.items() if k not in _NOT_PARAMETERS}, sort_keys=True, default=str)
    if (action, token) in tokens:
        before, result = tokens[(action, token)]
        if before != asked:
            raise EC2ClientError("IdempotentParameterMismatch", "The client token you have provided is associated with different request parameters.")
        return result
    result = act()
    tokens[(action, token)] = (asked, result)
    return result


_create_volume_by_moto = EBSBackend.create_volume
_delete_volume_by_moto = EBSBackend.delete_volume


def _create_volume(self: Any, size: Any, zone_name: str, snapshot_id: str | None = None, encrypted: Any = False, kms_key_id: str | None = None, volume_type: str | None = None, iops: Any = None, throughput: Any = None, multi_attach_enabled: Any = None) -> Any:
    snapshot = ec2_storage.completed_snapshot(self, snapshot_id) if snapshot_id else None
    if snapshot is not None:
        size = check_size(size, snapshot)
        if snapshot.encrypted:
            encrypted, kms_key_id = True, kms_key_id or snapshot.kms_key_id
    if kms_key_id:
        kms_key_id = ec2_keys.resolve(self, kms_key_id)
        if not ec2_keys.usable(self.region_name, kms_key_id):
            # On AWS the volume appears and is gone a moment later, with a createVolume event that says why.
            raise EC2ClientError("InvalidKmsKey.NotFound", f"The specified KMS key '{kms_key_id}' does not exist or is not enabled.")
    if volume_type == "gp3":
        throughput = throughput or GP3_THROUGHPUT
    elif volume_type in (None, "gp2") and iops:
        raise EC2ClientError("InvalidParameterCombination", "The parameter iops is not supported for gp2 volumes.")
    volume = _create_volume_by_moto(
        self,
        size=None if size is None else int(size),  # type: ignore[arg-type]
        zone_name=zone_name,
        snapshot_id=None,
        encrypted=bool(encrypted) and str(encrypted).lower() != "false",
        kms_key_id=kms_key_id,
        volume_type=volume_type,
        iops=None if iops is None else int(iops),
        throughput=None if throughput is None else int(throughput),
        multi_attach_enabled=multi_attach_enabled,
    )
    if volume.volume_type == "gp2":
        # Reported, though a request must not name them.
        volume.iops = min(max(GP2_IOPS_MIN, GP2_IOPS_PER_GIB * int(volume.size)), GP2_IOPS_MAX)
    volume.lineage = volume.id  # type: ignore[attr-defined]
    if snapshot is not None:
        volume.snapshot_id, volume.lineage = snapshot.id, snapshot.lineage  # type: ignore[attr-defined]
        STORE.restore(snapshot.id, volume.id)
    return volume


def check_size(size: Any, snapshot: Any) -> int:
    if size is None:
        return int(snapshot.volume_size)
    if int(size) < snapshot.volume_size:
        raise EC2ClientError("InvalidBlockDeviceMapping", f"Volume of size {size}GB is smaller than snapshot '{snapshot.id}', expect size >= {snapshot.volume_size}GB")
    return int(size)


def _delete_volume(self: Any, volume_id: str) -> Any:
    volume = _delete_volume_by_moto(self, volume_id)
    STORE.drop_volume(volume_id)
    self.tags.pop(volume_id, None)
    return volume


# Actions


def _create_volume_action(self: Any) -> ActionResult:
    p, backend = self.params, self.ec2_backend
    self.error_on_dryrun()

    def act() -> Any:
        volume = backend.create_volume(
            size=p.get("Size"),
            zone_name=p.get("AvailabilityZone"),
            snapshot_id=p.get("SnapshotId"),
            encrypted=p.get("Encrypted", False),
            kms_key_id=p.get("KmsKeyId"),
            volume_type=p.get("VolumeType"),
            iops=p.get("Iops"),
            throughput=p.get("Throughput"),
            multi_attach_enabled=p.get("MultiAttachEnabled"),
        )
        volume.add_tags(tags_by_type(p).get("volume", {}))
        return volume

    return ActionResult(idempotent(backend, "CreateVolume", p, act))


def _create_snapshots_action(self: Any) -> ActionResult:
    p, backend = self.params, self.ec2_backend
    specification = p.get("InstanceSpecification") or {}
    instance = backend.get_instance(specification["InstanceId"])
    if instance.state in ("terminated", "shutting-down"):
        raise EC2ClientError("IncorrectInstanceState", f"The instance '{instance.id}' is not in a state from which it can be snapshotted: {instance.state}")
    excluded = set(specification.get("ExcludeDataVolumeIds") or [])
    without_boot = bool(specification.get("ExcludeBootVolume"))
    volume_ids = [
        mapping.volume_id
        for device, mapping in instance.block_device_mapping.items()
        if mapping.volume_id not in excluded and not (without_boot and device == instance.root_device_name)
    ]
    self.error_on_dryrun()
    taken = ec2_storage.take(backend, volume_ids, p.get("Description", ""))
    given = tags_by_type(p).get("snapshot", {})
    for snapshot in taken:
        if p.get("CopyTagsFromSource") == "volume":
            inherited = backend.tags.get(snapshot.volume_id, {})
            snapshot.add_tags({k: v for k, v in inherited.items() if not k.startswith("aws:")})
        snapshot.add_tags(given)
    ec2_storage.finish_later(backend, taken)
    return ActionResult({"Snapshots": taken})


def _copy_snapshot_action(self: Any) -> ActionResult:
    p = self.params
    self.error_on_dryrun()
    snapshot = ec2_storage.copy(
        self.ec2_backend,
        source_region=p["SourceRegion"],
        source_id=p["SourceSnapshotId"],
        description=p.get("Description", ""),
        encrypted=bool(p.get("Encrypted")),
        kms_key_id=p.get("KmsKeyId"),
    )
    snapshot.add_tags(tags_by_type(p).get("snapshot", {}))
    return ActionResult({"SnapshotId": snapshot.id, "Tags": snapshot.tag_set})


def _delete_snapshot_action(self: Any) -> ActionResult:
    self.error_on_dryrun()
    self.ec2_backend.delete_snapshot(self.params["SnapshotId"])
    return EmptyResult()


def _delete_on_termination(self: Any) -> bool:
    mapping = self.instance.block_device_mapping.get(self.device)
    return bool(mapping and mapping.delete_on_termination)


def install() -> None:
    VolumeAttachment.delete_on_termination = property(_delete_on_termination)  # type: ignore[attr-defined]
    EBSBackend.create_volume = _create_volume  # type: ignore[method-assign]
    EBSBackend.delete_volume = _delete_volume  # type: ignore[method-assign]
    ElasticBlockStore.create_volume = _create_volume_action  # type: ignore[method-assign]
    ElasticBlockStore.create_snapshots = _create_snapshots_action  # type: ignore[method-assign]
    ElasticBlockStore.copy_snapshot = _copy_snapshot_action  # type: ignore[method-assign]
    ElasticBlockStore.delete_snapshot = _delete_snapshot_action  # type: ignore[method-assign]
