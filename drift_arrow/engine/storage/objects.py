"""Objects of a store that fsspec reaches: S3, GCS, Azure, and whatever else keeps the promise of a conditional put."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from drift_arrow.engine.storage import FileInfo
from drift_arrow.engine.storage.object_file import ObjectFile
from drift_arrow.engine.storage.probe import check_conditional_put
from drift_arrow.engine.storage.retry import is_final, translated
from drift_arrow.errors import AlreadyExistsError, LimitExceededError, NotFoundError, StorageError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import VERIFY_ON_OPEN_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drift_arrow.engine.storage import Log
    from drift_arrow.engine.storage.file_cache import FileCache
    from drift_arrow.engine.storage.retry import Retry
    from drift_arrow.format.layout import Buffer

_NEVER_USED_TWICE: Final = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z]+$")
_FIRST_READ_BYTES: Final = 16 << 20
_SINGLE_PUT_BYTES: Final = 1 << 32


class ObjectStorage:
    """Objects below one prefix of a store; see `Storage`.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
        Made without a cache of listings: what another process put must be seen.
    root : str
        The prefix as `files` names it, without a slash at its end.
    uri : str
        The prefix as users name it.
    retry : Retry
        Of every request.
    cache : FileCache or None
        Of objects that never change.

    Notes
    -----
    An object appears as a whole or not at all, and of many that put one name only if it is free, one succeeds. All
    else is built on these two: there is no lock, and a log is a row of objects (`engine.wal_objects`).
    """

    appends = False

    def __init__(self, files: Any, root: str, uri: str, retry: Retry, cache: FileCache | None) -> None:
        self._files = files
        self._root = root
        self._retry = retry
        self._cache = cache
        self.uri = uri

    def child(self, name: str) -> ObjectStorage:
        """See `Storage.child`."""
        return ObjectStorage(self._files, self._full(name), f"{self.uri}/{name}", self._retry, self._cache)

    def original(self) -> ObjectStorage:
        """See `Storage.original`."""
        return ObjectStorage(self._files, self._root, self.uri, self._retry, None)

    def make_directories(self, names: Sequence[str]) -> None:
        """See `Storage.make_directories`; a prefix exists as soon as an object has it."""

    def read(self, path: str, limit_bytes: int) -> bytes:
        """See `Storage.read`."""
        data = self._read_range(path, 0, limit_bytes + 1)
        if len(data) > limit_bytes:
            message = f"file is larger than its limit; path={path!r} limit_bytes={limit_bytes}"
            raise LimitExceededError(message)
        return data

    def map(self, path: str) -> memoryview:
        """See `Storage.map`: from the cache, if the name can never come to mean other bytes."""
        if self._cache is not None and _NEVER_USED_TWICE.search(path):
            return self._cache.map(self._full(path), lambda: self._read_whole(path))
        return memoryview(self._read_whole(path))

    def open(self, path: str, size_bytes: int) -> Buffer | ObjectFile:
        """See `Storage.open`; what is verified as a whole when it is opened is fetched as a whole."""
        is_near = self._cache is not None and self._cache.holds(self._full(path))
        if size_bytes <= VERIFY_ON_OPEN_BYTES or is_near:
            return self.map(path)
        return ObjectFile(self._files, self._full(path), path, size_bytes, self._retry)

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[Callable[[Buffer], object]]:
        """See `Storage.create`; the bytes are kept in memory until they are put."""
        pieces: list[bytes] = []
        yield lambda buffer: pieces.append(bytes(byte_view(buffer)))
        data = b"".join(pieces)
        pieces.clear()
        self._put(path, data)
        if self._cache is not None and _NEVER_USED_TWICE.search(path):
            # its writer reads it next
            self._cache.keep(self._full(path), data)

    def list_files(self, directory: str) -> list[FileInfo]:
        """See `Storage.list_files`."""
        return sorted(
            FileInfo(f"{directory}/{_name(entry)}", int(entry["size"]))
            for entry in self._list(directory)
            if entry["type"] == "file"
        )

    def list_children(self) -> list[str]:
        """See `Storage.list_children`."""
        return sorted({_name(entry) for entry in self._list("") if entry["type"] == "directory"})

    def delete(self, path: str) -> None:
        """See `Storage.delete`."""
        with contextlib.suppress(NotFoundError):
            self._retry.call(lambda: self._files.rm_file(self._full(path)), path)

    def delete_child(self, name: str) -> None:
        """See `Storage.delete_child`.

        Notes
        -----
        Directories go in descending order, manifests last: a deletion that was cut off leaves a collection that cannot
        be read and can be deleted again, not files that a new one of this name would meet.
        """
        with contextlib.suppress(NotFoundError):
            found = self._retry.call(lambda: self._files.find(self._full(name)), name)
            for _, group in itertools.groupby(sorted(found, reverse=True), key=lambda path: path.rpartition("/")[0]):
                self._delete_all(list(group), name)

    def settle(self) -> None:
        """See `Storage.settle`: what was not put as a whole was not put."""

    def open_log(self, path: str) -> Log:
        """Refused: objects do not grow."""
        message = f"objects of a store do not grow: the log is a row of objects; path={path!r}"
        raise StorageError(message)

    def lock(self) -> ObjectLock:
        """See `Storage.lock`; excludes nobody. Raises InvalidArgumentError if the store cannot fence writers."""
        check_conditional_put(self._files, self._root, self.uri, self._retry)
        return ObjectLock()

    def _put(self, path: str, data: bytes) -> None:
        """One conditional put; what came of one that was not answered is seen by reading.

        Notes
        -----
        A refusal is not believed before the object was read: the client below us repeats requests whose answer was
        lost, and then the object in the way is our own. All that we put is unique by a salt, a uuid or a transaction.
        """
        full = self._full(path)
        for is_last in self._retry.pauses():
            try:
                self._files.pipe_file(full, data, mode="create", **self._single_put(path))
            except Exception as error:
                if is_final(error):
                    raise translated(error, path) from error
                if self._is_there(path, data):
                    return
                if is_last:
                    message = f"storage failed, and perhaps too late: {type(error).__name__}: {error}; path={path!r}"
                    raise StorageError(message) from error
            else:
                return

    def _is_there(self, path: str, data: bytes) -> bool:
        """Whether `data` is at `path`, rather than nothing; AlreadyExistsError if other bytes are."""
        try:
            stored = self._read_range(path, 0, len(data) + 1)
        except NotFoundError:
            return False
        if stored != data:
            message = f"the name is taken; path={path!r}"
            raise AlreadyExistsError(message)
        return True

    def _single_put(self, path: str) -> dict[str, int]:
        # Ceph RGW ignores the condition of uploads in parts; names that are never used twice do not need it
        is_s3 = "s3" in self._files.protocol
        return {"chunksize": _SINGLE_PUT_BYTES} if is_s3 and not _NEVER_USED_TWICE.search(path) else {}

    def _read_whole(self, path: str) -> bytes:
        data = self._read_range(path, 0, _FIRST_READ_BYTES)
        if len(data) < _FIRST_READ_BYTES:
            return data
        size_bytes = self._retry.call(lambda: int(self._files.size(self._full(path))), path)
        starts = range(_FIRST_READ_BYTES, size_bytes, _FIRST_READ_BYTES)
        rest = ObjectFile(self._files, self._full(path), path, size_bytes, self._retry)
        return b"".join([data, *rest.read_ranges([(start, _FIRST_READ_BYTES) for start in starts])])

    def _read_range(self, path: str, start: int, stop: int) -> bytes:
        data: bytes = self._retry.call(lambda: self._files.cat_file(self._full(path), start=start, end=stop), path)
        return data

    def _list(self, directory: str) -> list[dict[str, Any]]:
        try:
            full = self._full(directory) if directory else self._root
            found: list[dict[str, Any]] = self._retry.call(lambda: self._files.ls(full, detail=True), directory)
        except NotFoundError:
            return []
        # a prefix may itself be the name of an object, which is then all that is listed
        return [entry for entry in found if entry["name"].rstrip("/") != full]

    def _delete_all(self, paths: list[str], name: str) -> None:
        self._retry.call(lambda: self._files.rm(paths), name)

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"


class ObjectLock:
    """The right to try; see `Lock`. Writers fence each other when they write."""

    def release(self) -> None:
        """See `Lock.release`: there is nothing to give back."""


def _name(entry: dict[str, Any]) -> str:
    name: str = entry["name"]
    return name.rstrip("/").rpartition("/")[2]
