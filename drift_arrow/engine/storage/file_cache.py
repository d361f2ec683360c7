"""A directory of copies of remote files that never change: bounded, verified, fetched once."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.storage.file_map import FileMap
from drift_arrow.format.checksum import xxh3_128

if TYPE_CHECKING:
    from collections.abc import Callable

_TEMPORARY_PREFIX: Final = ".tmp-"
_TURNS: Final = 256


class FileCache:
    """Copies by name, the least recently used ones deleted first.

    Parameters
    ----------
    directory : Path
        Made when it is needed; many processes may share it.
    limit_bytes : int
        Of all copies together. What is mapped stays readable after its deletion.

    Notes
    -----
    A copy is named by the digests of its name and of its bytes, and is compared with the latter when a process first
    uses it: a damaged copy is fetched again. A cache that cannot be written, on a full disk for instance, only costs
    speed. Threads that want one file wait for one request.
    """

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self._directory = directory
        self._limit_bytes = limit_bytes
        self._verified: set[Path] = set()
        self._turns = [threading.Lock() for _ in range(_TURNS)]

    def map(self, name: str, fetch: Callable[[], bytes]) -> memoryview:
        """The bytes of the file `name`, which `fetch` gets if there is no copy."""
        key = xxh3_128(name.encode())
        with self._turns[int(key, 16) % _TURNS]:
            mapped = self._map_copy(key)
            if mapped is not None:
                return mapped
            data = fetch()
            return self._keep(key, data) or memoryview(data)

    def keep(self, name: str, data: bytes) -> None:
        """Copy a file whose bytes are at hand."""
        self._keep(xxh3_128(name.encode()), data)

    def holds(self, name: str) -> bool:
        """Whether there is a copy, verified or not."""
        return self._find(xxh3_128(name.encode())) is not None

    def _find(self, key: str) -> Path | None:
        return next(self._directory.glob(f"{key}-*"), None)

    def _map_copy(self, key: str) -> memoryview | None:
        path = self._find(key)
        if path is None:
            return None
        mapped = _map(path)
        if mapped is None or path in self._verified:
            return mapped
        if xxh3_128(mapped) != path.name.partition("-")[2]:
            path.unlink(missing_ok=True)
            return None
        self._verified.add(path)
        return mapped

    def _keep(self, key: str, data: bytes) -> memoryview | None:
        """Write a copy and map it; None if that is not possible."""
        if not data or len(data) > self._limit_bytes:
            return None
        path = self._directory / f"{key}-{xxh3_128(data)}"
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(data))
            descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY_PREFIX, dir=self._directory)
            try:
                with open(descriptor, "wb") as file:
                    file.write(data)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            return _map(path)
        return None

    def _make_room(self, n_bytes: int) -> None:
        found = []
        for path in self._directory.iterdir():
            # another process may delete beside us
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        free_bytes = self._limit_bytes - sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if free_bytes >= n_bytes:
                return
            path.unlink(missing_ok=True)
            free_bytes += size


def _map(path: Path) -> memoryview | None:
    """A map of a copy, which becomes the most recently used; None if it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        os.utime(descriptor)
        return memoryview(FileMap(descriptor)) if os.fstat(descriptor).st_size else None
    finally:
        os.close(descriptor)
