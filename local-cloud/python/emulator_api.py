"""/_emulator/: what no AWS API offers, because on AWS a guest writes its disk and nobody sets how long a snapshot takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import ec2_capacity
import ec2_storage
from block_store import BLOCK_SIZE, STORE

_DISK = re.compile(r"^/_emulator/disks/(?P<region>[^/]+)/(?P<volume>vol-[0-9a-f]+)(?:/(?P<index>\d+))?$")


class Refused(Exception):
    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    try:
        status, kind, body = _route(environ)
    except Refused as refused:
        status, kind, body = refused.status, "application/json", json.dumps({"message": str(refused)}).encode()
    start_response(status, [("Content-Type", kind)])
    return [body]


def _json(value: Any) -> tuple[str, str, bytes]:
    return "200 OK", "application/json", json.dumps(value).encode()


def _route(environ: dict[str, Any]) -> tuple[str, str, bytes]:
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    body: bytes = environ["wsgi.input"].read()
    if path == "/_emulator/config" and method == "POST":
        return _configure(json.loads(body))
    if path == "/_emulator/config" and method == "GET":
        return _json(ec2_storage.SETTINGS.to_dict())
    disk = _DISK.match(path)
    if not disk:
        raise Refused("404 Not Found", f"No such route: {path}")
    region, volume_id, index = disk["region"], disk["volume"], disk["index"]
    volume = ec2_storage.find_volume(region, volume_id)
    if volume is None:
        raise Refused("404 Not Found", f"No volume {volume_id} in {region}")
    if index is None:
        return _json({"blocks": STORE.volume_indexes(volume_id), "sizeGiB": volume.size})
    return _block(method, volume, int(index), body)


def _block(method: str, volume: Any, index: int, body: bytes) -> tuple[str, str, bytes]:
    if index >= volume.size * 2048:
        raise Refused("400 Bad Request", f"Block {index} is beyond the end of a volume of {volume.size} GiB")
    if method == "PUT":
        if len(body) != BLOCK_SIZE:
            raise Refused("400 Bad Request", f"A block has {BLOCK_SIZE} bytes, not {len(body)}")
        STORE.write(volume.id, index, body)
        return _json({})
    data = STORE.read(volume.id, index)
    if data is None:
        raise Refused("404 Not Found", f"Block {index} of {volume.id} was never written")
    return "200 OK", "application/octet-stream", data


def _configure(values: dict[str, Any]) -> tuple[str, str, bytes]:
    unavailable = values.pop("unavailableInstanceTypes", None)
    if unavailable is not None:
        ec2_capacity.set_unavailable(unavailable)
    try:
        ec2_storage.SETTINGS.update(values)
    except KeyError as unknown:
        raise Refused("400 Bad Request", f"No such setting: {unknown}") from unknown
    return _json(ec2_storage.SETTINGS.to_dict())
