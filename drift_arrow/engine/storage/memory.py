"""Files in the memory of this process, for tests and notebooks: `memory://name`."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from drift_arrow.engine.storage import FileInfo
from drift_arrow.errors import AlreadyExistsError, LimitExceededError, LockedError, NotFoundError
from drift_arrow.format.buffer import byte_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drift_arrow.format.layout import Buffer


class MemoryStorage:
    """Named byte strings of one process; see `Storage`. All storages of one name share their files.

    Parameters
    ----------
    uri : str
        `memory://name`, or `memory://name/child`.
    """

    appends = True

    _guard = threading.Lock()
    _files: dict[str, bytes | bytearray] = {}  # noqa: RUF012 - shared by the whole process on purpose
    _locked: set[str] = set()  # noqa: RUF012 - likewise

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")

    def child(self, name: str) -> MemoryStorage:
        """See `Storage.child`."""
        return MemoryStorage(f"{self.uri}/{name}")

    def original(self) -> MemoryStorage:
        """See `Storage.original`."""
        return self

    def make_directories(self, names: Sequence[str]) -> None:
        """See `Storage.make_directories`; directories exist as soon as a file is in them."""

    def read(self, path: str, limit_bytes: int) -> bytes:
        """See `Storage.read`."""
        data = self.map(path)
        if data.nbytes > limit_bytes:
            message = f"file is larger than its limit; path={path!r} limit_bytes={limit_bytes}"
            raise LimitExceededError(message)
        return bytes(data)

    def map(self, path: str) -> memoryview:
        """See `Storage.map`."""
        with self._guard:
            data = self._files.get(self._full(path))
            if data is None:
                message = f"no such file; path={path!r}"
                raise NotFoundError(message)
            # a bytearray cannot grow while it is exported, so a live log is copied
            return memoryview(bytes(data))

    def open(self, path: str, size_bytes: int) -> memoryview:  # noqa: ARG002
        """See `Storage.open`."""
        return self.map(path)

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[Callable[[Buffer], object]]:
        """See `Storage.create`."""
        data = bytearray()
        yield lambda buffer: data.extend(byte_view(buffer))
        with self._guard:
            self._claim(path, bytes(data))

    def list_files(self, directory: str) -> list[FileInfo]:
        """See `Storage.list_files`."""
        start = len(self.uri) + 1
        prefix = self._full(directory) + "/"
        with self._guard:
            names = [name for name in self._files if name.startswith(prefix) and "/" not in name[len(prefix) :]]
            return sorted(FileInfo(name[start:], len(self._files[name])) for name in names)

    def list_children(self) -> list[str]:
        """See `Storage.list_children`."""
        prefix = self.uri + "/"
        with self._guard:
            below = [name[len(prefix) :] for name in self._files if name.startswith(prefix)]
        return sorted({name.split("/", 1)[0] for name in below if "/" in name})

    def delete(self, path: str) -> None:
        """See `Storage.delete`."""
        with self._guard:
            self._files.pop(self._full(path), None)

    def delete_child(self, name: str) -> None:
        """See `Storage.delete_child`."""
        prefix = self._full(name) + "/"
        with self._guard:
            for path in [path for path in self._files if path.startswith(prefix)]:
                del self._files[path]

    def settle(self) -> None:
        """See `Storage.settle`; nothing unfinished is ever visible here."""

    def open_log(self, path: str) -> MemoryLog:
        """See `Storage.open_log`."""
        data = bytearray()
        with self._guard:
            self._claim(path, data)
        return MemoryLog(data, self._guard)

    def lock(self) -> MemoryLock:
        """See `Storage.lock`."""
        with self._guard:
            if self.uri in self._locked:
                message = f"the collection is open for writing elsewhere: close it there; path={self.uri!r}"
                raise LockedError(message)
            self._locked.add(self.uri)
        return MemoryLock(self._locked, self.uri)

    def _full(self, path: str) -> str:
        return f"{self.uri}/{path}"

    def _claim(self, path: str, data: bytes | bytearray) -> None:
        if self._full(path) in self._files:
            message = f"the name is taken; path={path!r}"
            raise AlreadyExistsError(message)
        self._files[self._full(path)] = data


class MemoryLog:
    """A growing byte string; see `Log`."""

    def __init__(self, data: bytearray, guard: threading.Lock) -> None:
        self._data = data
        self._guard = guard

    def append(self, buffers: Sequence[Buffer]) -> None:
        """See `Log.append`."""
        with self._guard:
            for buffer in buffers:
                self._data.extend(byte_view(buffer))

    def sync(self) -> None:
        """See `Log.sync`; there is nothing more durable than this memory."""

    def close(self) -> None:
        """See `Log.close`; there is nothing to release."""


class MemoryLock:
    """A held name; see `Lock`."""

    def __init__(self, held: set[str], name: str) -> None:
        self._held = held
        self._name = name

    def release(self) -> None:
        """See `Lock.release`."""
        self._held.discard(self._name)
