"""Where bytes live: write-once files, one append-only log, and a lock. Tests inject faults here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from drift_arrow.format.layout import Buffer
    from drift_arrow.format.source import RangedSource


_REQUESTS_AT_ONCE: Final = 16

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class FileInfo(NamedTuple):
    """A file that exists: its path relative to the storage, and its size in bytes."""

    path: str
    size_bytes: int


class Log(Protocol):
    """An append-only file of one writer."""

    def append(self, buffers: Sequence[Buffer]) -> None:
        """Write all of `buffers` at the end; raises StorageError, after which the log must not be used."""

    def sync(self) -> None:
        """Make all appended bytes survive power loss; raises StorageError, after which the log must not be used."""

    def close(self) -> None:
        """Release the file; does not sync."""


class Lock(Protocol):
    """The exclusive right to write a collection."""

    def release(self) -> None:
        """Give the right back; a second call does nothing."""


class Storage(Protocol):
    """Write-once, read-many named byte strings under one root. Paths are relative, checked names joined by `/`.

    Every method raises StorageError when the system below fails, NotFoundError where a path must exist and does not.
    """

    uri: str

    appends: bool = True
    """Whether files can grow and a lock excludes other processes.

    If not, `open_log` is not to be called, `lock` excludes nobody, and writers fence each other by `create`: of those
    that want one path, exactly one gets it.
    """

    def child(self, name: str) -> Storage:
        """The storage of the directory `name` below this one; `name` is a checked name."""

    def original(self) -> Storage:
        """The same files without any copies that are kept nearer: for those who check what is stored."""
        return self

    def make_directories(self, names: Sequence[str]) -> None:
        """Create this directory and the directories `names` in it, durably; existing ones are kept."""

    def read(self, path: str, limit_bytes: int) -> bytes:
        """All bytes of a small file; LimitExceededError above `limit_bytes`."""

    def map(self, path: str) -> memoryview:
        """All bytes of an immutable file, read-only, without copying them where the system can map them."""

    def open(self, path: str, size_bytes: int) -> Buffer | RangedSource:  # noqa: ARG002
        """An immutable file of known size: mapped, or to be read by ranges where a whole copy is not worth its way."""
        return self.map(path)

    def create(self, path: str) -> AbstractContextManager[Callable[[Buffer], object]]:
        """Publish `path` once: yields `write`; on leaving, the whole file appears durably, or nothing does.

        Leaving raises AlreadyExistsError if the path is taken; its bytes are then untouched.
        """

    def list_files(self, directory: str) -> list[FileInfo]:
        """Finished files directly in `directory`, sorted by path; empty if there is no directory."""

    def list_children(self) -> list[str]:
        """Names of the directories directly below this storage, sorted."""

    def delete(self, path: str) -> None:
        """Remove a file; a missing one is no error."""

    def delete_child(self, name: str) -> None:
        """Remove the directory `name` with all it holds; readers that mapped its files keep their bytes."""

    def settle(self) -> None:
        """Remove what a crash left half-written by `create`, and make durable what it had published already.

        Only the holder of the lock may call this, before it builds on what it finds.
        """

    def open_log(self, path: str) -> Log:
        """Create a new, empty log durably; AlreadyExistsError if the path is taken."""

    def lock(self) -> Lock:
        """Take the exclusive right to write; LockedError if another holder has it."""


def for_all(storage: Storage, act: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """What `act` gives for each of `items`, in their order; many at a time where each costs a request to `storage`."""
    if storage.appends or len(items) < 2:
        return [act(item) for item in items]
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return list(pool.map(act, items))


def create_file(storage: Storage, path: str, data: Buffer) -> None:
    """Publish `data` at `path` durably, only if nothing is there (see `Storage.create`)."""
    with storage.create(path) as write:
        write(data)
