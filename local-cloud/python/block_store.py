"""What is on the disks: 512 KiB blocks of volumes and snapshots, shared and never copied.

A snapshot and a volume made from it hold the same table until one of them is written, and then still the same bytes
objects; so a fleet's snapshots cost the memory of what changed.
"""

from __future__ import annotations

import threading
from typing import Final

BLOCK_SIZE: Final = 524_288
BLOCKS_PER_GIB: Final = 2048

Blocks = dict[int, bytes]


class _Table:
    """Blocks by index. A table that a snapshot has seen is frozen for good: whoever writes next copies it first."""

    __slots__ = ("blocks", "frozen")

    def __init__(self, blocks: Blocks, frozen: bool = False) -> None:
        self.blocks = blocks
        self.frozen = frozen


class BlockStore:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._volumes: dict[str, _Table] = {}
        self._snapshots: dict[str, _Table] = {}

    def write(self, volume_id: str, index: int, data: bytes) -> None:
        with self._lock:
            table = self._volumes.get(volume_id)
            if table is None or table.frozen:
                table = self._volumes[volume_id] = _Table(dict(table.blocks) if table else {})
            table.blocks[index] = data

    def read(self, volume_id: str, index: int) -> bytes | None:
        with self._lock:
            table = self._volumes.get(volume_id)
            return table.blocks.get(index) if table else None

    def volume_indexes(self, volume_id: str) -> list[int]:
        with self._lock:
            table = self._volumes.get(volume_id)
            return sorted(table.blocks) if table else []

    def drop_volume(self, volume_id: str) -> None:
        with self._lock:
            self._volumes.pop(volume_id, None)

    def capture(self, volumes_to_snapshots: list[tuple[str, str]]) -> None:
        """Each snapshot shows its volume as it is now; the `now` of all is the same instant."""
        with self._lock:
            for volume_id, snapshot_id in volumes_to_snapshots:
                table = self._volumes.setdefault(volume_id, _Table({}))
                table.frozen = True
                self._snapshots[snapshot_id] = table

    def restore(self, snapshot_id: str, volume_id: str) -> None:
        """The new volume shows the snapshot."""
        with self._lock:
            if snapshot_id in self._snapshots:
                self._volumes[volume_id] = self._snapshots[snapshot_id]

    def copy_snapshot(self, source_id: str, target_id: str) -> None:
        with self._lock:
            self._snapshots[target_id] = self._snapshots.get(source_id) or _Table({}, frozen=True)

    def set_snapshot(self, snapshot_id: str, blocks: Blocks) -> None:
        with self._lock:
            self._snapshots[snapshot_id] = _Table(blocks, frozen=True)

    def snapshot(self, snapshot_id: str) -> Blocks:
        """The snapshot's blocks, to be read only."""
        with self._lock:
            table = self._snapshots.get(snapshot_id)
            return table.blocks if table else {}

    def drop_snapshot(self, snapshot_id: str) -> None:
        with self._lock:
            self._snapshots.pop(snapshot_id, None)


STORE: Final = BlockStore()
