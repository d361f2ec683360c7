"""A root that holds collections by name."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from drift_arrow.engine.collection import Collection
from drift_arrow.engine.commit import MANIFEST_DIRECTORY, list_versions, publish
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.registry import acquire_core, is_open, share_core
from drift_arrow.engine.spec import check_name, make_spec
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.engine.storage.memory import MemoryStorage
from drift_arrow.engine.wal import WAL_DIRECTORY, Wal
from drift_arrow.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from drift_arrow.format.manifest import Manifest
from drift_arrow.options import Options

if TYPE_CHECKING:
    from types import TracebackType

    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage

_DIRECTORIES = (MANIFEST_DIRECTORY, SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY, WAL_DIRECTORY)


class Database:
    """Collections under one root; see `drift_arrow.connect`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._handles: list[Collection] = []

    @property
    def uri(self) -> str:
        """Where the collections live."""
        return self._storage.uri

    def create_collection(
        self,
        name: str,
        *,
        schema: Any,
        vector: str,
        key: str,
        metric: str = "l2",
        dim: int | None = None,
        options: Options | None = None,
    ) -> Collection:
        """Create an empty collection and open it.

        Parameters
        ----------
        name : str
            1 to 63 of ``a-z 0-9 _ -``, starting with a letter or digit.
        schema : pyarrow.Schema or polars.Schema
            Names and types of all columns; ``table.schema`` will do.
        vector, key : str
            The column of vectors (FixedSizeList or List of float16, float32 or float64), and the column of unique keys
            (int64, uint64 or string).
        metric : {"l2", "cosine", "dot"}
            Squared Euclidean distance, 1 - cosine, or negative inner product: smaller is closer.
        dim : int, optional
            Needed if the vector column is a List.
        options : Options, optional
            Settings, fixed for the life of the collection.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        InvalidArgumentError
            Names the bad argument.
        """
        storage = self._storage.child(check_name(name))
        spec = make_spec(schema, vector=vector, key=key, metric=metric, dim=dim, key_seed=secrets.randbits(64))
        _refuse_existing(storage, name)
        storage.make_directories(_DIRECTORIES)
        lock = storage.lock()
        try:
            # another process may have created it meanwhile
            _refuse_existing(storage, name)
            _write_first_version(storage, spec, options or Options())
        finally:
            lock.release()
        return self.collection(name)

    def collection(self, name: str, *, read_only: bool = False) -> Collection:
        """Open a collection.

        Parameters
        ----------
        name : str
            Of an existing collection.
        read_only : bool
            Take no lock, so that another process may write; `Collection.refresh` moves on to its newest state.

        Raises
        ------
        NotFoundError
            No such collection; the message names those that exist.
        LockedError
            Another process writes it.
        CorruptionError, UnsupportedFormatError
            Its files cannot be trusted.
        """
        storage = self._storage.child(check_name(name))
        if not list_versions(storage):
            message = f"no such collection; got={name!r} existing={self.list_collections()} path={self.uri!r}"
            raise NotFoundError(message)
        handle = _open(storage, name, read_only=read_only)
        self._handles = [*(known for known in self._handles if not known.closed), handle]
        return handle

    def list_collections(self) -> list[str]:
        """Names of the collections, sorted."""
        children = self._storage.list_children()
        return [name for name in children if not name.startswith(".") and list_versions(self._storage.child(name))]

    def drop_collection(self, name: str) -> None:
        """Delete a collection with all its rows, for good.

        Raises
        ------
        NotFoundError
            No such collection.
        InvalidArgumentError
            It is open in this process: close it first.
        LockedError
            Another process writes it.
        """
        storage = self._storage.child(check_name(name))
        if not list_versions(storage):
            message = f"no such collection; got={name!r} existing={self.list_collections()} path={self.uri!r}"
            raise NotFoundError(message)
        if is_open(storage.uri):
            message = f"the collection is open: close its handles first; name={name!r}"
            raise InvalidArgumentError(message)
        lock = storage.lock()
        try:
            self._storage.delete_child(name)
        finally:
            lock.release()

    def close(self) -> None:
        """Close every handle that this database gave out."""
        with contextlib.ExitStack() as stack:
            # each of them, even if another one fails to
            for handle in self._handles:
                stack.callback(handle.close)
            self._handles.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Database {self.uri!r}: {', '.join(self.list_collections()) or 'no collections'}>"


def connect(uri: str | os.PathLike[str]) -> Database:
    """A database in a local directory, or in the memory of this process.

    Parameters
    ----------
    uri : str or PathLike
        A path, ``file:///path``, or ``memory://name``.

    Raises
    ------
    InvalidArgumentError
        Another kind of URI.
    """
    return Database(open_storage(os.fspath(uri)))


def open_path(path: str | os.PathLike[str], *, read_only: bool) -> Collection:
    """Open a collection by its own path, such as ``./data/docs`` or ``memory://name/docs``.

    Raises
    ------
    NotFoundError, LockedError, CorruptionError, UnsupportedFormatError, InvalidArgumentError
        See `Database.collection`.
    """
    parent, separator, name = os.fspath(path).rstrip("/").rpartition("/")
    return connect((parent or "/") if separator else ".").collection(name, read_only=read_only)


def open_storage(uri: str) -> Storage:
    """The storage behind a URI; see `connect`."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return LocalStorage(Path(uri).expanduser().resolve())
    if scheme == "file":
        return LocalStorage(Path(unquote(urlsplit(uri).path)).resolve())
    if scheme == "memory" and rest:
        return MemoryStorage(uri)
    message = f"a database is a local directory or memory://name; got={uri!r}"
    raise InvalidArgumentError(message)


def _open(storage: Storage, name: str, *, read_only: bool) -> Collection:
    if not read_only:
        return Collection(name, acquire_core(storage), read_only=False)
    core = share_core(storage.uri)
    return Collection(name, Reader(storage) if core is None else core, read_only=True)


def _refuse_existing(storage: Storage, name: str) -> None:
    if list_versions(storage):
        message = f"the collection exists: open it with collection({name!r}); path={storage.uri!r}"
        raise AlreadyExistsError(message)


def _write_first_version(storage: Storage, spec: CollectionSpec, options: Options) -> None:
    """Version 1, and before it the log that it builds on."""
    collection_uuid = uuid.uuid4()
    storage.settle()
    for file in storage.list_files(WAL_DIRECTORY):
        # left by a creation that crashed before its manifest: nothing names it
        storage.delete(file.path)
    Wal(storage, collection_uuid, writer_epoch=1, number=1, first_seqno=1).close()
    manifest = Manifest(
        version=1,
        parent_digest="",
        txn=uuid.uuid4().hex,
        created_ns=time.time_ns(),
        collection_uuid=collection_uuid,
        schema=spec.schema,
        vector=spec.vector,
        key=spec.key,
        metric=spec.metric,
        options=asdict(options),
        key_seed=spec.key_seed,
        writer_epoch=1,
        segments=(),
        wal_floor=1,
        last_seqno=0,
        calibration=None,
    )
    publish(storage, manifest)
