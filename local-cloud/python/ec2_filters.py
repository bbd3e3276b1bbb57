"""EC2's describe calls: by id and by tag in time that grows with the answer, and in pages.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html (pages) and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (any of a filter's values, wildcards `*` and `?`).
moto looks through all tags of all resources for each resource, and through all resources for each id.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError, InvalidInstanceIdError, InvalidNetworkInterfaceIdError, InvalidVolumeIdError
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

PAGE_LIMIT = 1000


def _get_tags(self: Any) -> list[dict[str, str]]:
    tags = self.ec2_backend.tags.get(self.id)
    if not tags:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "")
    return [{"resource_id": self.id, "key": key, "value": value, "resource_type": kind} for key, value in tags.items()]


@functools.lru_cache(maxsize=4096)
def _wildcard(pattern: str) -> re.Pattern[str] | None:
    if "*" not in pattern and "?" not in pattern:
        return None
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)


def _matches(value: str, patterns: list[str]) -> bool:
    if value in patterns:
        return True
    return any((regex := _wildcard(pattern)) is not None and regex.fullmatch(value) for pattern in patterns)


def _is_filter_matching(obj: Any, name: str, wanted: Any) -> bool:
    if name.startswith("tag:"):
        value: Any = obj.ec2_backend.tags.get(obj.id, {}).get(name[4:]) if hasattr(obj, "ec2_backend") else obj.get_filter_value(name)
    else:
        value = obj.get_filter_value(name)
    if isinstance(value, str):
        return _matches(value, wanted if isinstance(wanted, list) else [wanted])
    if isinstance(value, (list, set, tuple)) and isinstance(wanted, list):
        return any(_matches(str(element), wanted) for element in value)
    return _matching_by_moto(obj, name, wanted)


_matching_by_moto = utils.is_filter_matching


def _tag_filter_matches(obj: Any, name: str, wanted: list[str]) -> bool:
    tags = {tag["key"]: tag["value"] for tag in obj.get_tags()}
    if name == "tag-key":
        return any(_matches(key, wanted) for key in tags)
    if name == "tag-value":
        return any(_matches(value, wanted) for value in tags.values())
    value = tags.get(name[4:])
    return value is not None and _matches(value, wanted)


class _Index:
    """Instances by id. moto keeps reservations, and never removes one."""

    def __init__(self) -> None:
        self.seen = 0
        self.instances: dict[str, Any] = {}


def instances(backend: Any) -> dict[str, Any]:
    index: _Index | None = backend.__dict__.get("_local_index")
    if index is None:
        index = backend._local_index = _Index()
    if index.seen != len(backend.reservations):
        for reservation in list(backend.reservations.values())[index.seen :]:
            for instance in reservation.instances:
                index.instances[instance.id] = instance
        index.seen = len(backend.reservations)
    return index.instances


def _get_instance(self: Any, instance_id: str) -> Any:
    instance = instances(self).get(instance_id)
    if instance is None:
        raise InvalidInstanceIdError(instance_id)
    return instance


def _get_many(self: Any, instance_ids: list[str], filters: Any = None) -> list[Any]:
    known = instances(self)
    missing = [instance_id for instance_id in instance_ids if instance_id not in known]
    if missing:
        raise InvalidInstanceIdError(missing)
    return [known[instance_id] for instance_id in instance_ids if known[instance_id].applies(filters)]


def _reservations_by_ids(self: Any, instance_ids: list[str], filters: Any = None) -> list[Any]:
    wanted = set(instance_ids)
    missing = [instance_id for instance_id in wanted if instance_id not in instances(self)]
    if missing:
        raise InvalidInstanceIdError(missing)
    found = []
    for reservation in self.all_reservations():
        reservation.instances = [instance for instance in reservation.instances if instance.id in wanted]
        if reservation.instances:
            found.append(reservation)
    return utils.filter_reservations(found, filters) if filters else found


def _volumes(self: Any, volume_ids: list[str] | None = None, filters: Any = None) -> list[Any]:
    if not volume_ids:
        matches = list(self.volumes.values())
    else:
        missing = [volume_id for volume_id in volume_ids if volume_id not in self.volumes]
        if missing:
            raise InvalidVolumeIdError(missing[0])
        matches = [self.volumes[volume_id] for volume_id in dict.fromkeys(volume_ids)]
    return utils.generic_filter(filters, matches) if filters else matches


def _snapshots(self: Any, snapshot_ids: list[str] | None = None, filters: Any = None) -> list[Any]:
    if not snapshot_ids:
        matches = list(self.snapshots.values())
    else:
        missing = [snapshot_id for snapshot_id in snapshot_ids if snapshot_id not in self.snapshots]
        if missing:
            raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{missing[0]}' does not exist.")
        matches = [self.snapshots[snapshot_id] for snapshot_id in dict.fromkeys(snapshot_ids)]
    return utils.generic_filter(filters, matches) if filters else matches


def _interface(self: Any, eni_id: str) -> Any:
    if eni_id not in self.enis:
        raise InvalidNetworkInterfaceIdError(eni_id)
    return self.enis[eni_id]


def _paged(response_class: Any, action: str, result_key: str, ids_key: str) -> None:
    """Adds MaxResults and NextToken to an action that gives all at once."""
    describe = getattr(response_class, action)

    def paged(self: Any) -> ActionResult:
        result: dict[str, Any] = describe(self).result
        size, token = self._get_param("MaxResults"), self._get_param("NextToken")
        if size is None and token is None:
            return ActionResult(result)
        if size is not None and self._get_param(ids_key):
            raise EC2ClientError("InvalidParameterCombination", f"The parameter {ids_key} cannot be used with the parameter maxResults")
        start = int(token or 0)
        end = start + max(5, min(int(size or PAGE_LIMIT), PAGE_LIMIT))
        everything = list(result[result_key])
        result[result_key] = everything[start:end]
        if end < len(everything):
            result["NextToken"] = str(end)
        return ActionResult(result)

    setattr(response_class, action, paged)


def _describe_instances(self: Any) -> Any:
    """Without MaxResults EC2 gives up to 1,000, and all that were asked for by id; moto gives 100."""
    self.params.setdefault("MaxResults", PAGE_LIMIT)
    return _describe_instances_by_moto(self)


_describe_instances_by_moto = InstanceResponse.describe_instances


def install() -> None:
    InstanceResponse.describe_instances = _describe_instances  # type: ignore[method-assign]
    TaggedEC2Resource.get_tags = _get_tags  # type: ignore[method-assign]
    utils.is_filter_matching = _is_filter_matching
    utils.tag_filter_matches = _tag_filter_matches
    InstanceBackend.get_instance = _get_instance  # type: ignore[method-assign]
    InstanceBackend.get_instance_by_id = lambda self, instance_id: instances(self).get(instance_id)  # type: ignore[method-assign]
    InstanceBackend.get_multi_instances_by_id = _get_many  # type: ignore[method-assign]
    InstanceBackend.get_reservations_by_instance_ids = _reservations_by_ids  # type: ignore[method-assign]
    EBSBackend.describe_volumes = _volumes  # type: ignore[method-assign]
    EBSBackend.describe_snapshots = _snapshots  # type: ignore[method-assign]
    NetworkInterfaceBackend.get_network_interface = _interface  # type: ignore[method-assign]
    _paged(ElasticBlockStore, "describe_snapshots", "Snapshots", "SnapshotIds")
    _paged(ElasticBlockStore, "describe_volumes", "Volumes", "VolumeIds")
    _paged(AmisResponse, "describe_images", "Images", "ImageIds")
