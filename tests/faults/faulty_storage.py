"""A storage whose n-th step fails: an operation before it began, after half of a write, or after it took effect."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from drift_arrow.engine.storage import FileInfo, Lock, Log, Storage
from drift_arrow.errors import StorageError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import Buffer


class Faults:
    """Counts the steps of all storages that share it, and fails one.

    Parameters
    ----------
    fail_at : int or None
        The step that fails; None only counts.
    lasting : bool
        All later steps fail as well.
    interrupt : bool
        A step fails by KeyboardInterrupt, as if the user had lost patience there, instead of StorageError.

    Attributes
    ----------
    steps : int
        Taken so far, failed ones included.
    failed : list of str
        Operations that failed.
    open_logs : int
        Logs that were opened and not closed.
    """

    def __init__(self, fail_at: int | None = None, *, lasting: bool = False, interrupt: bool = False) -> None:
        self._fail_at = fail_at
        self._lasting = lasting
        self._interrupt = interrupt
        self.steps = 0
        self.failed: list[str] = []
        self.open_logs = 0

    def step(self, operation: str) -> None:
        number = self.steps
        self.steps += 1
        if self._fail_at is not None and (number == self._fail_at or (self._lasting and number > self._fail_at)):
            self.failed.append(operation)
            if self._interrupt:
                raise KeyboardInterrupt
            raise StorageError(f"storage failed: injected; step={number} operation={operation}")

    def stop(self) -> None:
        """Fail no more."""
        self._fail_at = None


class FaultyStorage(Storage):
    """Passes everything on to `inner`, one or two steps per operation."""

    def __init__(self, inner: Storage, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self.uri = inner.uri
        self.appends = inner.appends

    def child(self, name: str) -> FaultyStorage:
        return FaultyStorage(self._inner.child(name), self._faults)

    def make_directories(self, names: Sequence[str]) -> None:
        self._faults.step("make directories")
        self._inner.make_directories(names)

    def read(self, path: str, limit_bytes: int) -> bytes:
        self._faults.step(f"read {path}")
        return self._inner.read(path, limit_bytes)

    def map(self, path: str) -> memoryview:
        self._faults.step(f"map {path}")
        return self._inner.map(path)

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[Callable[[Buffer], object]]:
        self._faults.step(f"create {path}")
        with self._inner.create(path) as write:
            yield write
            self._faults.step(f"publish {path}")
        self._faults.step(f"created {path}")

    def list_files(self, directory: str) -> list[FileInfo]:
        self._faults.step(f"list {directory}")
        return self._inner.list_files(directory)

    def list_children(self) -> list[str]:
        self._faults.step("list children")
        return self._inner.list_children()

    def delete(self, path: str) -> None:
        self._faults.step(f"delete {path}")
        self._inner.delete(path)
        self._faults.step(f"deleted {path}")

    def delete_child(self, name: str) -> None:
        self._faults.step(f"delete child {name}")
        self._inner.delete_child(name)

    def settle(self) -> None:
        self._faults.step("settle")
        self._inner.settle()

    def open_log(self, path: str) -> FaultyLog:
        self._faults.step(f"open log {path}")
        log = self._inner.open_log(path)
        try:
            self._faults.step(f"opened log {path}")
        except BaseException:
            log.close()
            raise
        return FaultyLog(log, self._faults)

    def lock(self) -> Lock:
        self._faults.step("lock")
        return self._inner.lock()


class FaultyLog(Log):
    """See `FaultyStorage`."""

    def __init__(self, inner: Log, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults
        self._closed = False
        faults.open_logs += 1

    def append(self, buffers: Sequence[Buffer]) -> None:
        data = b"".join(map(byte_view, buffers))
        try:
            self._faults.step("append")
        except BaseException:
            self._inner.append([data[: len(data) // 2]])
            raise
        self._inner.append([data])
        self._faults.step("appended")

    def sync(self) -> None:
        self._faults.step("sync")
        self._inner.sync()
        self._faults.step("synced")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._faults.open_logs -= 1
        self._inner.close()
