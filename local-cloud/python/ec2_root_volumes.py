"""Replacing a running instance's root volume by a snapshot's or an image's bytes.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html: the snapshot must be of the
root volume's lineage; an image must have the instance's architecture, virtualisation type and product codes. moto lacks it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ec2_images
import ec2_storage
from ec2_volumes import idempotent, tags_by_type
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import generic_filter, random_id


def _source(backend: Any, instance: Any, old: Any, p: dict[str, Any]) -> str | None:
    if p.get("ImageId"):
        image = ec2_images.find(backend, p["ImageId"])
        if (image.architecture, image.virtualization_type) != (instance.architecture, instance.virtualization_type):
            raise EC2ClientError("InvalidParameterValue", "The AMI must have the instance's architecture and virtualization type.")
        return next(m["Ebs"]["SnapshotId"] for m in image.mappings if m["DeviceName"] == image.root_device_name)
    if p.get("SnapshotId"):
        snapshot = ec2_storage.completed_snapshot(backend, p["SnapshotId"])
        if snapshot.lineage != getattr(old, "lineage", old.id):
            raise EC2ClientError("InvalidParameterValue", f"The snapshot {snapshot.id} is not of the root volume's lineage.")
        return snapshot.id
    return old.snapshot_id


def _replace(backend: Any, p: dict[str, Any]) -> Any:
    instance = backend.get_instance(p["InstanceId"])
    if instance.state != "running":
        raise EC2ClientError("IncorrectInstanceState", f"The instance '{instance.id}' is not running.")
    device = instance.root_device_name
    attached = instance.block_device_mapping[device]
    old = backend.get_volume(attached.volume_id)
    if p.get("VolumeId"):
        new = backend.get_volume(p["VolumeId"])
        if new.attachment or new.zone.name != old.zone.name:
            raise EC2ClientError("InvalidParameterValue", f"The volume {new.id} must be available in {old.zone.name}.")
    else:
        new = backend.create_volume(
            size=old.size, zone_name=old.zone.name, snapshot_id=_source(backend, instance, old, p), encrypted=old.encrypted,
            kms_key_id=old.kms_key_id, volume_type=old.volume_type, iops=old.iops, throughput=old.throughput,
        )
        new.add_tags({k: v for k, v in backend.tags.get(old.id, {}).items() if not k.startswith("aws:")})
    backend.detach_volume(old.id, instance.id, device)
    backend.attach_volume(new.id, instance.id, device, attached.delete_on_termination)
    if p.get("DeleteReplacedRootVolume"):
        backend.delete_volume(old.id)
    now = ec2_storage.milliseconds().strftime("%Y-%m-%dT%H:%M:%SZ")
    task = SimpleNamespace(
        id=random_id("replacevol"), instance_id=instance.id, task_state="succeeded", start_time=now, complete_time=now,
        image_id=p.get("ImageId"), snapshot_id=p.get("SnapshotId"), delete_replaced_root_volume=bool(p.get("DeleteReplacedRootVolume")),
        get_filter_value=lambda name: {"instance-id": instance.id, "state": "succeeded"}.get(name),
    )
    task.replace_root_volume_task_id = task.id
    backend.create_tags([task.id], tags_by_type(p).get("replace-root-volume-task", {}))
    task.tags = [{"Key": k, "Value": v} for k, v in backend.tags.get(task.id, {}).items()]
    _tasks(backend)[task.id] = task
    return task


def _tasks(backend: Any) -> dict[str, Any]:
    return backend.__dict__.setdefault("_local_root_tasks", {})


def _create_action(self: Any) -> ActionResult:
    self.error_on_dryrun()
    backend, p = self.ec2_backend, self.params
    return ActionResult({"ReplaceRootVolumeTask": idempotent(backend, "CreateReplaceRootVolumeTask", p, lambda: _replace(backend, p))})


def _describe_action(self: Any) -> ActionResult:
    backend, ids = self.ec2_backend, self.params.get("ReplaceRootVolumeTaskIds") or []
    tasks = [task for task in _tasks(backend).values() if not ids or task.id in ids]
    return ActionResult({"ReplaceRootVolumeTasks": generic_filter(self._filters_from_querystring(), tasks)})


def install() -> None:
    response: Any = EC2Response
    response.create_replace_root_volume_task = _create_action
    response.describe_replace_root_volume_tasks = _describe_action
