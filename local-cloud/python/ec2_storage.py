"""EC2's volumes and snapshots: contents, time that a snapshot takes, quotas, encryption, completion events.

- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html
- https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html (called in the destination Region; the copy
  has an arbitrary volume id, and none of the source's tags)
- https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html (20 copies, 5 snapshots of a volume at a time)
- https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html (the events' shapes)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any

import ec2_keys
import events
from block_store import STORE
from clock import CLOCK
from gateway import ACCOUNT
from moto.core.serialize import TimestampSerializer
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.utils import random_snapshot_id

COPIED_VOLUME_ID = "vol-ffffffff"
SLOW_TYPES = ("st1", "sc1")
RECHECK_SECONDS = 0.25


@dataclass
class Settings:
    """Set by POST /_emulator/config."""

    snapshotSeconds: float = 0.2
    copySeconds: float = 0.5
    copyLimit: int = 20
    """Copies in progress into a destination Region."""
    snapshotsPerVolume: int = 5
    refusedRegions: list[str] = field(default_factory=list)
    """Regions that are lost: a copy out of one does not go on until it is back."""

    def update(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if name not in self.__dataclass_fields__:
                raise KeyError(name)
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


SETTINGS = Settings()


def milliseconds() -> Any:
    now = utcnow()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class LocalSnapshot(Snapshot):
    """A snapshot that takes time, and keeps the size that its volume had."""

    __module__ = "moto.ec2.local_cloud"  # moto files its models under the second part

    def __init__(self, backend: Any, volume_id: str, size: int, description: str, encrypted: bool, kms_key_id: str | None, lineage: str) -> None:
        self.id = random_snapshot_id()
        self.ec2_backend = backend
        self.volume = SimpleNamespace(id=volume_id, size=size)
        self.description = description or ""
        self.start_time = milliseconds()
        self.completion_time: Any = None
        self.status = "pending"
        self.state_message: str | None = None
        self.encrypted = encrypted
        self.kms_key_id = kms_key_id
        self.owner_id = backend.account_id
        self.from_ami: str | None = None
        self.lineage = lineage
        """Snapshots of one lineage can be compared block by block."""
        self.create_volume_permission_groups: set[str] = set()
        self.create_volume_permission_userids: set[str] = set()
        self.storage_tier = "standard"

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2::{self.ec2_backend.region_name}:snapshot/{self.id}"

    @property
    def state(self) -> str:
        """CreateSnapshots calls it so."""
        return self.status

    @property
    def progress(self) -> str:
        return "100%" if self.status == "completed" else "0%"

    def complete(self) -> None:
        self.status, self.completion_time = "completed", milliseconds()

    def fail(self, message: str) -> None:
        self.status, self.state_message = "error", message


def find_volume(region: str, volume_id: str) -> Any:
    return ec2_backends[ACCOUNT][region].volumes.get(volume_id)


def snapshot_of(backend: Any, snapshot_id: str) -> LocalSnapshot:
    snapshot = backend.snapshots.get(snapshot_id)
    if snapshot is None:
        raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    return snapshot


def completed_snapshot(backend: Any, snapshot_id: str) -> LocalSnapshot:
    snapshot = snapshot_of(backend, snapshot_id)
    if snapshot.status != "completed":
        raise EC2ClientError("IncorrectState", f"Snapshot is in invalid state - {snapshot.status}")
    return snapshot


# Snapshots of volumes


def take(backend: Any, volume_ids: list[str], description: str) -> list[LocalSnapshot]:
    """One snapshot of each volume, all showing the same instant."""
    volumes = [backend.get_volume(volume_id) for volume_id in volume_ids]
    in_progress = _in_progress(backend)
    for volume in volumes:
        limit = 1 if volume.volume_type in SLOW_TYPES else SETTINGS.snapshotsPerVolume
        if in_progress[volume.id] >= limit:
            raise EC2ClientError("ConcurrentSnapshotLimitExceeded", f"Maximum allowed in-progress snapshots for a single volume ({volume.id}) exceeded.")
    taken = []
    for volume in volumes:
        lineage = getattr(volume, "lineage", volume.id)
        snapshot = LocalSnapshot(backend, volume.id, int(volume.size), description, volume.encrypted, volume.kms_key_id, lineage)
        in_progress[volume.id] += 1
        taken.append(snapshot)
    STORE.capture([(snapshot.volume_id, snapshot.id) for snapshot in taken])
    for snapshot in taken:
        backend.snapshots[snapshot.id] = snapshot
    return taken


def _in_progress(backend: Any) -> Counter[str]:
    """How many snapshots of each volume are pending."""
    return backend.__dict__.setdefault("_local_in_progress", Counter())


def _copying(backend: Any) -> dict[str, LocalSnapshot]:
    return backend.__dict__.setdefault("_local_copying", {})


def _create_snapshot(self: Any, volume_id: str, description: str, owner_id: str | None = None, from_ami: str | None = None) -> LocalSnapshot:
    (snapshot,) = take(self, [volume_id], description)
    CLOCK.after(SETTINGS.snapshotSeconds, lambda: _finish(self, [snapshot], "createSnapshot"))
    return snapshot


def finish_later(backend: Any, taken: list[LocalSnapshot]) -> None:
    CLOCK.after(SETTINGS.snapshotSeconds, lambda: _finish(backend, taken, "createSnapshots"))


def _finish(backend: Any, taken: list[LocalSnapshot], event: str) -> None:
    alive = [snapshot for snapshot in taken if snapshot.id in backend.snapshots]
    for snapshot in taken:
        snapshot.complete()
        _in_progress(backend)[snapshot.volume_id] -= 1
    if not alive:
        return
    resources = [snapshot.arn for snapshot in alive]
    timing = {"startTime": events.iso_of(alive[0].start_time), "endTime": events.iso()}
    if event == "createSnapshots":
        listed = [{"snapshot_id": s.arn, "source": _volume_arn(backend, s), "status": "completed"} for s in alive]
        detail = {"event": event, "result": "succeeded", "cause": "", "request-id": "", **timing, "snapshots": listed}
        events.emit(backend.region_name, "EBS Multi-Volume Snapshots Completion Status", resources, detail)
        return
    for snapshot in alive:
        source = {"snapshot_id": snapshot.arn, "source": _volume_arn(backend, snapshot)}
        detail = {"event": event, "result": "succeeded", "cause": "", "request-id": "", **source, **timing}
        events.emit(backend.region_name, "EBS Snapshot Notification", [snapshot.arn], detail)


def _volume_arn(backend: Any, snapshot: LocalSnapshot) -> str:
    return f"arn:aws:ec2::{backend.region_name}:volume/{snapshot.volume_id}"


# Copies


def copy(backend: Any, source_region: str, source_id: str, description: str, encrypted: bool, kms_key_id: str | None) -> LocalSnapshot:
    source = completed_snapshot(ec2_backends[ACCOUNT][source_region], source_id)
    copying = _copying(backend)
    if len(copying) >= SETTINGS.copyLimit:
        raise EC2ClientError("ResourceLimitExceeded", f"Too many snapshot copies in progress. The limit is {SETTINGS.copyLimit} for this destination region.")
    if kms_key_id and not (encrypted or source.encrypted):
        raise EC2ClientError("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
    key = None
    if encrypted or source.encrypted:
        key = ec2_keys.resolve(backend, kms_key_id) if kms_key_id else ec2_keys.default_key(backend)
    target = LocalSnapshot(backend, COPIED_VOLUME_ID, source.volume_size, description, key is not None, key, source.lineage)
    backend.snapshots[target.id] = copying[target.id] = target
    CLOCK.after(SETTINGS.copySeconds, lambda: _finish_copy(backend, source_region, source, target))
    return target


def _finish_copy(backend: Any, source_region: str, source: LocalSnapshot, target: LocalSnapshot) -> None:
    if target.id not in backend.snapshots:
        _copying(backend).pop(target.id, None)
        return
    if source_region in SETTINGS.refusedRegions or backend.region_name in SETTINGS.refusedRegions:
        CLOCK.after(RECHECK_SECONDS, lambda: _finish_copy(backend, source_region, source, target))
        return
    gone = source.id not in ec2_backends[ACCOUNT][source_region].snapshots
    if gone:
        target.fail("The source snapshot was deleted during the copy")
    elif not ec2_keys.usable(backend.region_name, target.kms_key_id):
        target.fail(ec2_keys.NOT_ACCESSIBLE)
    else:
        STORE.copy_snapshot(source.id, target.id)
        target.complete()
    _copying(backend).pop(target.id, None)
    detail = {
        "event": "copySnapshot",
        "result": "succeeded" if target.status == "completed" else "failed",
        "cause": target.state_message or "",
        "request-id": "",
        "snapshot_id": target.arn,
        "source": f"arn:aws:ec2::{source_region}:snapshot/{source.id}",
        "startTime": events.iso_of(target.start_time),
        "endTime": events.iso(),
        "incremental": "true",
    }
    events.emit(backend.region_name, "EBS Snapshot Notification", [target.arn], detail)


def _delete_snapshot(self: Any, snapshot_id: str) -> Any:
    snapshot_of(self, snapshot_id)
    users = self.__dict__.get("_local_snapshot_images", {}).get(snapshot_id)
    if users:
        raise EC2ClientError("InvalidSnapshot.InUse", f"The snapshot {snapshot_id} is currently in use by {', '.join(sorted(users))}")
    STORE.drop_snapshot(snapshot_id)
    self.tags.pop(snapshot_id, None)
    return self.snapshots.pop(snapshot_id)


def _with_milliseconds(self: Any, value: Any) -> str:
    """moto writes EC2's times with zeros for milliseconds; the instant that a snapshot shows has them."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


def install() -> None:
    TimestampSerializer._timestamp_iso8601_zeroed = _with_milliseconds  # type: ignore[method-assign]
    EBSBackend.create_snapshot = _create_snapshot  # type: ignore[method-assign]
    EBSBackend.delete_snapshot = _delete_snapshot  # type: ignore[method-assign]
