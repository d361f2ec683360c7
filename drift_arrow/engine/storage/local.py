"""POSIX files: exclusive publish by link(2), with the syncs that make it survive power loss."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from drift_arrow.engine.storage import FileInfo
from drift_arrow.engine.storage.file_map import FileMap
from drift_arrow.errors import AlreadyExistsError, LimitExceededError, LockedError, NotFoundError, StorageError
from drift_arrow.format.buffer import byte_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drift_arrow.format.layout import Buffer

_TEMPORARY_PREFIX = ".tmp-"
_LOCK_NAME = "LOCK"
_IOV_MAX = 512
# a symbolic link in place of a file would lead a reader or writer out of the collection
_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC


class LocalStorage:
    """A directory of a local file system that has link(2) and fsync of directories.

    Parameters
    ----------
    root : Path
        The directory; need not exist before `make_directories`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.uri = str(root)

    def child(self, name: str) -> LocalStorage:
        """See `Storage.child`."""
        return LocalStorage(self._root / name)

    def make_directories(self, names: Sequence[str]) -> None:
        """See `Storage.make_directories`."""
        with _translated(self.uri):
            for path in reversed((self._root, *self._root.parents[:-1])):
                if not path.exists():
                    path.mkdir(mode=0o700, exist_ok=True)
                    _sync_directory(path.parent)
                    continue
                # whoever made it may have died before syncing; further up, directories may be no business of ours
                with contextlib.suppress(OSError):
                    _sync_directory(path.parent)
            for name in names:
                (self._root / name).mkdir(mode=0o700, exist_ok=True)
            _sync_directory(self._root)

    def read(self, path: str, limit_bytes: int) -> bytes:
        """See `Storage.read`."""
        with _translated(path):
            descriptor = os.open(self._inside(path), os.O_RDONLY | _NO_LINK)
            with open(descriptor, "rb") as file:
                data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            message = f"file is larger than its limit; path={path!r} limit_bytes={limit_bytes}"
            raise LimitExceededError(message)
        return data

    def map(self, path: str) -> memoryview:
        """See `Storage.map`."""
        with _translated(path):
            descriptor = os.open(self._inside(path), os.O_RDONLY | _NO_LINK)
            try:
                if os.fstat(descriptor).st_size == 0:
                    return memoryview(b"")
                return memoryview(FileMap(descriptor))
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[Callable[[Buffer], object]]:
        """See `Storage.create`.

        Notes
        -----
        1 exclusive temporary file, 2 write, 3 fsync, 4 link(2) which refuses an existing name, 5 unlink, 6 fsync of the
        directory. A crash at any step leaves the old state or the whole file.
        Source: Pillai et al., OSDI 2014 (ALICE).
        """
        with _translated(path):
            final = self._inside(path)
            temporary = final.parent / f"{_TEMPORARY_PREFIX}{uuid.uuid4()}"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)  # 1
            try:
                try:
                    yield lambda data: _write_all(descriptor, [data])  # 2
                    os.fsync(descriptor)  # 3
                finally:
                    os.close(descriptor)
                os.link(temporary, final, follow_symlinks=False)  # 4
            finally:
                os.unlink(temporary)  # 5
            _sync_directory(final.parent)  # 6

    def list_files(self, directory: str) -> list[FileInfo]:
        """See `Storage.list_files`."""
        found = []
        with (
            _translated(directory),
            contextlib.suppress(FileNotFoundError),
            os.scandir(self._inside(f"{directory}/")) as entries,
        ):
            for entry in entries:
                if entry.name.startswith(_TEMPORARY_PREFIX) or not entry.is_file(follow_symlinks=False):
                    continue
                # a reader lists beside a writer whose Janitor deletes
                with contextlib.suppress(FileNotFoundError):
                    found.append(FileInfo(f"{directory}/{entry.name}", entry.stat(follow_symlinks=False).st_size))
        return sorted(found)

    def list_children(self) -> list[str]:
        """See `Storage.list_children`."""
        with _translated(self.uri), contextlib.suppress(FileNotFoundError), os.scandir(self._root) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        return []

    def delete(self, path: str) -> None:
        """See `Storage.delete`."""
        with _translated(path), contextlib.suppress(FileNotFoundError):
            os.unlink(self._inside(path))

    def delete_child(self, name: str) -> None:
        """See `Storage.delete_child`: the rename makes the removal atomic for all who look for the name."""
        doomed = self._root / f"{_TEMPORARY_PREFIX}{uuid.uuid4()}"
        with _translated(name):
            os.rename(self._root / name, doomed)
            _sync_directory(self._root)
            shutil.rmtree(doomed)

    def settle(self) -> None:
        """See `Storage.settle`; a process may have died between link(2) and the fsync of the directory."""
        with _translated(self.uri):
            names = self.list_children()
            for path in self._root.glob(f"*/{_TEMPORARY_PREFIX}*"):
                # not through a link
                if path.parent.name in names:
                    path.unlink(missing_ok=True)
            for name in names:
                _sync_directory(self._root / name)

    def open_log(self, path: str) -> LocalLog:
        """See `Storage.open_log`."""
        with _translated(path):
            final = self._inside(path)
            descriptor = os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _NO_LINK, 0o600)
            try:
                os.fsync(descriptor)
                _sync_directory(final.parent)
            except OSError:
                os.close(descriptor)
                raise
        return LocalLog(descriptor, path)

    def lock(self) -> LocalLock:
        """See `Storage.lock`; held by flock(2), so that the death of the process releases it."""
        path = self._root / _LOCK_NAME
        with _translated(_LOCK_NAME):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                message = (
                    "the collection is open for writing elsewhere: close it there or open it with read_only=True; "
                    f"path={self.uri!r} process={holder or 'unknown'}"
                )
                raise LockedError(message) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        return LocalLock(descriptor)

    def _inside(self, path: str) -> Path:
        """The place of a file, in a directory that is no symbolic link: one would lead out of the collection."""
        directory, separator, name = path.rpartition("/")
        if separator:
            os.close(os.open(self._root / directory, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK))
        return self._root / directory / name


class LocalLog:
    """An append-only file; see `Log`."""

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self._path = path

    def append(self, buffers: Sequence[Buffer]) -> None:
        """See `Log.append`."""
        with _translated(self._path):
            _write_all(self._descriptor, buffers)

    def sync(self) -> None:
        """See `Log.sync`; fdatasync also makes the new length durable."""
        with _translated(self._path):
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """See `Log.close`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            # the number may soon be another file's
            self._descriptor = -1


class LocalLock:
    """A held flock(2); see `Lock`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """See `Lock.release`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _write_all(descriptor: int, buffers: Sequence[Buffer]) -> None:
    views = [view for view in map(byte_view, buffers) if view.nbytes]
    while views:
        written = os.writev(descriptor, views[:_IOV_MAX])
        # a short write is legal at any byte, for instance on a nearly full disk
        while views and written >= views[0].nbytes:
            written -= views.pop(0).nbytes
        if written:
            views[0] = views[0][written:]


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except FileNotFoundError as error:
        message = f"no such file; path={path!r}"
        raise NotFoundError(message) from error
    except FileExistsError as error:
        message = f"the name is taken; path={path!r}"
        raise AlreadyExistsError(message) from error
    except OSError as error:
        message = f"storage failed: {error.strerror or error}; path={path!r}"
        raise StorageError(message) from error
