"""The EBS direct APIs over the same blocks as volumes and snapshots, with the checks that moto leaves out.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-accessing-snapshot.html and the operations under
https://docs.aws.amazon.com/ebs/latest/APIReference/. A block that was never written is absent, not zero.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import ec2_keys
import ec2_storage
from block_store import BLOCK_SIZE, BLOCKS_PER_GIB, STORE, Blocks
from moto.ebs.responses import EBSResponse

PAGE_DEFAULT, PAGE_MIN, PAGE_MAX = 1000, 100, 10_000
TOKEN_SECONDS = 7 * 86_400
MAX_GIB = 65_536

_lock = threading.RLock()
_written: dict[str, set[int]] = {}
"""Of each snapshot that is being written: the indexes put so far."""
_staged: dict[str, Blocks] = {}
_by_token: dict[tuple[str, str], tuple[str, str]] = {}


class EbsError(Exception):
    def __init__(self, status: int, code: str, message: str, reason: str) -> None:
        super().__init__(message)
        self.status, self.code, self.reason = status, code, reason


def _invalid(message: str, reason: str) -> EbsError:
    return EbsError(400, "ValidationException", message, reason)


def _missing(snapshot_id: str) -> EbsError:
    return EbsError(404, "ResourceNotFoundException", f"The snapshot '{snapshot_id}' does not exist.", "SNAPSHOT_NOT_FOUND")


def _snapshot(response: Any, snapshot_id: str, state: str = "completed") -> Any:
    snapshot = response.ebs_backend.ec2_backend.snapshots.get(snapshot_id)
    if snapshot is None:
        raise _missing(snapshot_id)
    if snapshot.status != state:
        if state == "pending":
            raise _invalid(f"The snapshot '{snapshot_id}' is not in a state for this action.", "INVALID_SNAPSHOT_ID")
        raise _missing(snapshot_id)
    return snapshot


def _token(snapshot_id: str, index: int) -> str:
    return base64.b64encode(f"{snapshot_id}/{index}".encode()).decode()


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


# Writing


def _start(self: Any) -> Any:
    p = json.loads(self.body)
    backend = self.ebs_backend.ec2_backend
    token = p.get("ClientToken")
    asked = json.dumps({k: v for k, v in p.items() if k != "ClientToken"}, sort_keys=True)
    with _lock:
        if token and (backend.region_name, token) in _by_token:
            before, snapshot_id = _by_token[(backend.region_name, token)]
            if before != asked:
                raise EbsError(409, "ConflictException", "The client token was used with other parameters.", "")
            return 201, {}, json.dumps(_started(backend.snapshots[snapshot_id]))
        snapshot = _new(backend, p)
        if token:
            _by_token[(backend.region_name, token)] = (asked, snapshot.id)
    return 201, {}, json.dumps(_started(snapshot))


def _new(backend: Any, p: dict[str, Any]) -> Any:
    size = int(p["VolumeSize"])
    if not 1 <= size <= MAX_GIB:
        raise _invalid(f"The volume size must be from 1 to {MAX_GIB} GiB.", "INVALID_VOLUME_SIZE")
    parent, key = None, None
    if p.get("ParentSnapshotId"):
        if p.get("Encrypted") is not None:
            raise _invalid("Encrypted cannot be specified with ParentSnapshotId.", "INVALID_PARAMETER_VALUE")
        parent = backend.snapshots.get(p["ParentSnapshotId"])
        if parent is None or parent.status != "completed":
            raise _missing(p["ParentSnapshotId"])
        if size < parent.volume_size:
            raise _invalid("The volume is smaller than that of the parent snapshot.", "INVALID_VOLUME_SIZE")
        key = parent.kms_key_id
    elif p.get("Encrypted"):
        key = ec2_keys.resolve(backend, p["KmsKeyArn"]) if p.get("KmsKeyArn") else ec2_keys.default_key(backend)
    snapshot = ec2_storage.LocalSnapshot(backend, ec2_storage.COPIED_VOLUME_ID, size, p.get("Description", ""), key is not None, key, "")
    snapshot.lineage = parent.lineage if parent else snapshot.id
    _staged[snapshot.id] = dict(STORE.snapshot(parent.id)) if parent else {}
    _written[snapshot.id] = set()
    snapshot.parent_snapshot_id = parent.id if parent else None
    backend.snapshots[snapshot.id] = snapshot
    snapshot.add_tags({tag["Key"]: tag["Value"] for tag in p.get("Tags") or []})
    return snapshot


def _started(snapshot: Any) -> dict[str, Any]:
    answer = {
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.owner_id,
        "Status": snapshot.status,
        "StartTime": time.time(),
        "VolumeSize": snapshot.volume_size,
        "BlockSize": BLOCK_SIZE,
        "Tags": [{"Key": t["key"], "Value": t["value"]} for t in snapshot.get_tags()],
        "Description": snapshot.description,
        "ParentSnapshotId": snapshot.parent_snapshot_id,
        "KmsKeyArn": snapshot.kms_key_id,
    }
    return {key: value for key, value in answer.items() if value is not None}


def _put(self: Any) -> Any:
    parts = self.parsed_url.path.split("/")
    snapshot, index = _snapshot(self, parts[-3], "pending"), int(parts[-1])
    body: bytes = self.body if isinstance(self.body, bytes) else str(self.body).encode("latin-1")
    headers = {key.lower(): value for key, value in self.headers.items()}
    if not 0 <= index < snapshot.volume_size * BLOCKS_PER_GIB:
        raise _invalid(f"The block index {index} is out of range.", "INVALID_BLOCK")
    if len(body) != BLOCK_SIZE or headers.get("x-amz-data-length") != str(BLOCK_SIZE):
        raise _invalid(f"The data length must be {BLOCK_SIZE}.", "INVALID_BLOCK")
    checksum = _checksum(body)
    if headers.get("x-amz-checksum-algorithm") != "SHA256" or headers.get("x-amz-checksum") != checksum:
        raise _invalid("The checksum does not match the data.", "INVALID_CONTENT_ENCODING")
    with _lock:
        if snapshot.id not in _staged:
            raise _invalid(f"The snapshot '{snapshot.id}' is not being written.", "INVALID_SNAPSHOT_ID")
        _staged[snapshot.id][index] = body
        _written[snapshot.id].add(index)
    return 201, {"x-amz-Checksum": checksum, "x-amz-Checksum-Algorithm": "SHA256"}, "{}"


def _complete(self: Any) -> Any:
    snapshot = _snapshot(self, self.parsed_url.path.split("/")[-1], "pending")
    headers = {key.lower(): value for key, value in self.headers.items()}
    with _lock:
        if snapshot.id not in _staged:
            raise _invalid(f"The snapshot '{snapshot.id}' is not being written.", "INVALID_SNAPSHOT_ID")
        blocks, written = _staged[snapshot.id], _written[snapshot.id]
        if int(headers.get("x-amz-changedblockscount", "-1")) != len(written):
            raise _invalid(f"The changed blocks count must be {len(written)}.", "INVALID_PARAMETER_VALUE")
        if headers.get("x-amz-checksum"):
            total = hashlib.sha256()
            for index in sorted(written):
                total.update(hashlib.sha256(blocks[index]).digest())
            if base64.b64encode(total.digest()).decode() != headers["x-amz-checksum"]:
                raise _invalid("The checksum does not match that of the blocks.", "INVALID_PARAMETER_VALUE")
        STORE.set_snapshot(snapshot.id, _staged.pop(snapshot.id))
        del _written[snapshot.id]
        snapshot.complete()
    return 202, {}, json.dumps({"Status": "completed"})


# Reading


def _get(self: Any) -> Any:
    parts = self.parsed_url.path.split("/")
    snapshot, index = _snapshot(self, parts[-3]), int(parts[-1])
    if _query(self, "blockToken") != _token(snapshot.id, index):
        raise _invalid("The block token is not valid for this block.", "INVALID_BLOCK_TOKEN")
    data = STORE.snapshot(snapshot.id).get(index)
    if data is None:
        raise EbsError(404, "ResourceNotFoundException", f"Block {index} is not in the snapshot.", "INVALID_BLOCK")
    headers = {"x-amz-Data-Length": str(BLOCK_SIZE), "x-amz-Checksum": _checksum(data), "x-amz-Checksum-Algorithm": "SHA256"}
    return 200, {**headers, "content-type": "application/octet-stream"}, data


def _list(self: Any) -> Any:
    snapshot = _snapshot(self, self.parsed_url.path.split("/")[-2])
    return _page(self, snapshot, "Blocks", sorted(STORE.snapshot(snapshot.id)), lambda i: {"BlockIndex": i, "BlockToken": _token(snapshot.id, i)})


def _list_changed(self: Any) -> Any:
    second = _snapshot(self, self.parsed_url.path.split("/")[-2])
    first_id = _query(self, "firstSnapshotId")
    first = _snapshot(self, first_id) if first_id else None
    if first is not None and first.lineage != second.lineage:
        raise _invalid(f"The snapshots '{first.id}' and '{second.id}' are not of the same lineage.", "UNRELATED_SNAPSHOTS")
    before = STORE.snapshot(first.id) if first is not None else {}
    after = STORE.snapshot(second.id)
    changed = sorted(i for i in {*before, *after} if before.get(i) is not after.get(i) and before.get(i) != after.get(i))

    def entry(index: int) -> dict[str, Any]:
        tokens = {}
        if first is not None and index in before:
            tokens["FirstBlockToken"] = _token(first.id, index)
        if index in after:
            tokens["SecondBlockToken"] = _token(second.id, index)
        return {"BlockIndex": index, **tokens}

    return _page(self, second, "ChangedBlocks", changed, entry)


def _page(self: Any, snapshot: Any, key: str, indexes: list[int], entry: Callable[[int], dict[str, Any]]) -> Any:
    size = int(_query(self, "maxResults") or PAGE_DEFAULT)
    if not PAGE_MIN <= size <= PAGE_MAX:
        raise _invalid(f"MaxResults must be from {PAGE_MIN} to {PAGE_MAX}.", "INVALID_PARAMETER_VALUE")
    start = int(_query(self, "pageToken") or _query(self, "startingBlockIndex") or 0)
    wanted = [index for index in indexes if index >= start]
    answer: dict[str, Any] = {key: [entry(index) for index in wanted[:size]], "ExpiryTime": time.time() + TOKEN_SECONDS, "VolumeSize": snapshot.volume_size, "BlockSize": BLOCK_SIZE}
    if len(wanted) > size:
        answer["NextToken"] = str(wanted[size])
    return 200, {"content-type": "application/json"}, json.dumps(answer)


def _query(self: Any, name: str) -> str | None:
    values = self.querystring.get(name)
    return values[0] if isinstance(values, list) and values else None


def _answering(action: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def answer(self: Any) -> Any:
        try:
            return action(self)
        except EbsError as error:
            body = json.dumps({"Message": str(error), **({"Reason": error.reason} if error.reason else {})})
            return error.status, {"x-amzn-ErrorType": error.code, "status": error.status, "content-type": "application/json"}, body

    return answer


def install() -> None:
    response: Any = EBSResponse
    response.start_snapshot = _answering(_start)
    response.put_snapshot_block = _answering(_put)
    response.complete_snapshot = _answering(_complete)
    response.get_snapshot_block = _answering(_get)
    response.list_snapshot_blocks = _answering(_list)
    response.list_changed_blocks = _answering(_list_changed)
