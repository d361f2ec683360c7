"""Objects in the memory of this process: as a store behaves, without its latency."""

from __future__ import annotations

from drift_arrow.engine.storage.memory import MemoryLog, MemoryStorage
from drift_arrow.engine.storage.objects import ObjectLock
from drift_arrow.errors import StorageError


class ObjectsInMemory(MemoryStorage):
    """Files do not grow, and nobody is locked out."""

    appends = False

    def child(self, name: str) -> ObjectsInMemory:
        return ObjectsInMemory(f"{self.uri}/{name}")

    def open_log(self, path: str) -> MemoryLog:
        raise StorageError(f"objects do not grow; path={path!r}")

    def lock(self) -> ObjectLock:  # type: ignore[override]
        return ObjectLock()
